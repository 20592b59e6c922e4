/**
 * The host without processes, sockets and files: device tree, guests, slices, their engines' supervision, the store and the door for
 * kernels, as the daemon puts them together, on engines in memory and in-process pipes. In tasks of the given runtime:
 * `build()` first; `guests.create` and `guests.remove` are the administrator, `enter(credential)` is a kernel that connects (its
 * channels are used by hand, see kernel.test.fixture), `pipes[n].cut()` a broken connection, `engines` (see
 * in-memory-engines) what engines do of their own. `close()` takes all down in the daemon's order; then no task is left, and
 * no engine lives. A House on the `table` of an earlier one is the next host in the same place.
 */
import { createVmbusPipe, MdevBus, type VmbusPipe } from "parhelion-buses";
import { type Runtime, System } from "parhelion-core";
import type { AdapterCare } from "../adapters/adapters.js";
import type { MachineMemory } from "../adapters/capacity.js";
import { type BackOffPolicy, defaultBackOff } from "../engines/back-off.js";
import { defaultEngineDeadlines, type EngineDeadlines } from "../engines/engine-process.js";
import { InMemoryEngines, inMemoryAdapter } from "../engines/in-memory-engines.test.fixture.js";
import { engineChoice } from "../engines/launcher.js";
import { EngineSpawner } from "../engines/spawn-engine.js";
import { defaultLimits, type HostLimits } from "../limits.js";
import type { OpenLocalNode } from "../slices/local-nodes.js";
import { SliceHouse } from "../slices/slice-house.js";
import { openMemoryStore } from "../store/open-store.js";
import type { HostStore } from "../store/store.js";
import { FailingTable } from "../store/store.test.fixture.js";
import { Teardown } from "../teardown.js";
import { Guests } from "./guests.js";
import { Kernel } from "./kernel.test.fixture.js";
import { KernelDoor } from "./kernel-door.js";
import { QueueRelay } from "./queue-relay.js";

/** Its adapters have 8 GiB each. */
const inMemoryMachine: MachineMemory = { cards: async () => [], total: () => 2 ** 34 };

export interface HouseOptions {
  /** Default: adapters are taken to be healthy. */
  readonly health?: AdapterCare;
  readonly limits?: Partial<HostLimits>;
  readonly deadlines?: Partial<EngineDeadlines>;
  readonly backOff?: Partial<BackOffPolicy>;
  /** Default 60 000. */
  readonly orphanMs?: number;
  /** What an earlier host has left, and how the disk fails. Default: an empty one that does not. */
  readonly table?: FailingTable;
  /** Run directories that an earlier host has left. */
  readonly directories?: Set<string>;
  /** Slices can be handed to virtual machine monitors. Default: they can't. */
  readonly vfio?: "there";
  /** How many adapters there are after `build`. Default 1. */
  readonly adapters?: number;
}

interface Built {
  readonly store: HostStore;
  readonly house: SliceHouse;
  readonly guests: Guests;
  readonly door: KernelDoor;
}

export class House {
  readonly runtime: Runtime;
  readonly system: System;
  readonly mdev: MdevBus;
  readonly engines: InMemoryEngines;
  readonly table: FailingTable;
  /** Run directories that there are. */
  readonly directories: Set<string>;
  /** One for each kernel that ever came, in order. */
  readonly pipes: VmbusPipe[] = [];
  /** Serves a slice on the host itself: by a kernel that does nothing but be there. */
  openLocalNode: OpenLocalNode = async ({ credential }) => {
    const kernel = await this.enter(credential);
    return { close: () => kernel.connection.close() };
  };
  readonly #options: HouseOptions;
  readonly #teardown: Teardown;
  #built: Built | undefined;

  constructor(runtime: Runtime, options: HouseOptions = {}) {
    this.runtime = runtime;
    this.system = new System(runtime);
    this.mdev = new MdevBus(this.system);
    this.engines = new InMemoryEngines(runtime);
    this.table = options.table ?? new FailingTable();
    this.directories = options.directories ?? new Set();
    this.#options = options;
    this.#teardown = new Teardown(runtime);
  }

  get store(): HostStore {
    return this.#parts.store;
  }

  get guests(): Guests {
    return this.#parts.guests;
  }

  get door(): KernelDoor {
    return this.#parts.door;
  }

  get slices(): SliceHouse["slices"] {
    return this.#parts.house.slices;
  }

  get serving(): SliceHouse["serving"] {
    return this.#parts.house.serving;
  }

  get adapters(): SliceHouse["adapters"] {
    return this.#parts.house.adapters;
  }

  /** The whole host, up to where it lets kernels in. Once, before anything else. */
  async build(): Promise<void> {
    const { runtime, system, directories } = this;
    const { deadlines, backOff, orphanMs = 60_000 } = this.#options;
    const limits = { ...defaultLimits, ...this.#options.limits };
    const secrets = { hex: (bytes: number) => `${runtime.ids.next("secret")}`.padStart(2 * bytes, "0") };
    const store = await openMemoryStore(runtime, this.table);
    this.#teardown.add("store", () => store.close());
    const spawner = new EngineSpawner({
      launcher: { entry: "", environmentFor: async () => ({}) },
      runtime,
      limits,
      deadlines: { ...defaultEngineDeadlines, ...deadlines },
      startChild: this.engines.start,
    });
    this.#teardown.add("engines", () => spawner.close("the host stops"));
    const house = new SliceHouse({
      system,
      mdev: this.mdev,
      store,
      spawner,
      limits,
      secrets,
      backOff: { ...defaultBackOff, ...backOff },
      machine: inMemoryMachine,
      probe: async () => ({ choice: engineChoice("null"), description: inMemoryAdapter }),
      health: this.#options.health,
      openLocalNode: (request) => this.openLocalNode(request),
      localDirectories: directoriesIn(directories, "local"),
      vfio:
        this.#options.vfio === "there"
          ? { revokeMs: 0, directories: directoriesIn(directories, "vfio") }
          : undefined,
      vmbus: "",
    });
    await house.open();
    const guests = new Guests({
      runtime,
      store,
      slices: house.slices,
      stateDirectory: "",
      directories: directoriesIn(directories, "g"),
      secrets,
      limits,
      orphanMs,
    });
    await guests.restore();
    const byCredential = (credential: string) =>
      guests.byCredential(credential) ?? house.byCredential(credential);
    const relay = new QueueRelay({ runtime, limits, byCredential });
    const door = new KernelDoor({ runtime, limits, secrets, byCredential, relay });
    this.#built = { store, house, guests, door };
    this.#teardown.add("guests", () => guests.close());
    this.#teardown.add("slices", () => house.close());
    for (let i = 0; i < (this.#options.adapters ?? 1); i++) await house.adapters.add({ wish: "null" });
  }

  /** A kernel that presents this credential. @throws KernelError ECONNREFUSED, ECONNRESET, ETIMEDOUT */
  async enter(credential: string): Promise<Kernel> {
    const pipe = createVmbusPipe(this.runtime, `pipe ${this.pipes.length}`);
    this.pipes.push(pipe);
    const { door } = this.#parts;
    const visitor = { reach: "local", from: undefined, known: () => undefined } as const;
    this.runtime.scheduler.spawn("meeting with a kernel", () => door.meet(pipe.host, visitor));
    return Kernel.connect(pipe.guest, credential, this.runtime);
  }

  /** The host stops: what is kept stays in the table. */
  async close(): Promise<void> {
    await this.#teardown.run();
  }

  get #parts(): Built {
    if (this.#built === undefined) throw new Error("build() comes first");
    return this.#built;
  }
}

function directoriesIn(directories: Set<string>, folder: string) {
  return {
    async make(name: string) {
      directories.add(`${folder}/${name}`);
      return `${folder}/${name}`;
    },
    async remove(directory: string) {
      directories.delete(directory);
    },
  };
}
