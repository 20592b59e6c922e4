/**
 * The host without processes, sockets and files: device tree, guests, slices, their engines' supervision and the door for
 * kernels, as the daemon puts them together, on engines in memory and in-process pipes. In tasks of the given runtime:
 * `build()` first; `guests.create` and `guests.remove` are the administrator, `enter(credential)` is a kernel that connects (its
 * channels are used by hand, see kernel.test.fixture), `pipes[n].cut()` a broken connection, `engines` (see
 * in-memory-engines) what engines do of their own. `close()` takes all down in the daemon's order; then no task is left,
 * `directories` is empty and no engine lives.
 */
import { createVmbusPipe, type VmbusPipe } from "parhelion-buses";
import { type Runtime, System } from "parhelion-core";
import { AdapterDevice, adapterBus } from "../adapters/adapter-device.js";
import { type BackOffPolicy, defaultBackOff } from "../engines/back-off.js";
import { defaultEngineDeadlines, type EngineDeadlines } from "../engines/engine-process.js";
import { InMemoryEngines, inMemoryAdapter } from "../engines/in-memory-engines.test.fixture.js";
import { engineChoice } from "../engines/launcher.js";
import { EngineSpawner } from "../engines/spawn-engine.js";
import { defaultLimits, type HostLimits } from "../limits.js";
import { mdevBus, projectedDriver } from "../slices/slice-device.js";
import { SliceFactory } from "../slices/slice-factory.js";
import { Teardown } from "../teardown.js";
import { Guests } from "./guests.js";
import { Kernel } from "./kernel.test.fixture.js";
import { KernelDoor } from "./kernel-door.js";
import { QueueRelay } from "./queue-relay.js";

export interface HouseOptions {
  readonly limits?: Partial<HostLimits>;
  readonly deadlines?: Partial<EngineDeadlines>;
  readonly backOff?: Partial<BackOffPolicy>;
}

export class House {
  readonly runtime: Runtime;
  readonly system: System;
  readonly engines: InMemoryEngines;
  readonly guests: Guests;
  readonly door: KernelDoor;
  /** Run directories that there are. */
  readonly directories = new Set<string>();
  /** One for each kernel that ever came, in order. */
  readonly pipes: VmbusPipe[] = [];
  readonly #adapter: AdapterDevice;
  readonly #teardown: Teardown;

  constructor(runtime: Runtime, options: HouseOptions = {}) {
    const limits = { ...defaultLimits, ...options.limits };
    this.runtime = runtime;
    this.system = new System(runtime);
    this.engines = new InMemoryEngines(runtime);
    this.#teardown = new Teardown(runtime);
    const secrets = { hex: (bytes: number) => `${runtime.ids.next("secret")}`.padStart(2 * bytes, "0") };
    const spawner = new EngineSpawner({
      launcher: { entry: "", environmentFor: async () => ({}) },
      runtime,
      limits,
      deadlines: { ...defaultEngineDeadlines, ...options.deadlines },
      startChild: this.engines.start,
    });
    this.#teardown.add("engines", () => spawner.close("the host stops"));
    const choice = engineChoice("null");
    this.#adapter = new AdapterDevice(runtime, "adapter0", { choice, description: inMemoryAdapter });
    const { directories } = this;
    this.guests = new Guests({
      system: this.system,
      slices: new SliceFactory(this.system, spawner, { ...defaultBackOff, ...options.backOff }),
      adapter: this.#adapter,
      stateDirectory: "",
      directories: {
        async make(id) {
          directories.add(`g/${id}`);
          return `g/${id}`;
        },
        async remove(directory) {
          directories.delete(directory);
        },
      },
      secrets,
      limits,
    });
    const byCredential = this.guests.byCredential.bind(this.guests);
    const relay = new QueueRelay({ runtime, limits, byCredential });
    this.door = new KernelDoor({ runtime, limits, secrets, byCredential, relay });
  }

  /** The device tree. Once, before anything else. */
  async build(): Promise<void> {
    for (const bus of [adapterBus, mdevBus]) this.system.registerBus(bus);
    await this.system.registerDriver(projectedDriver);
    this.#teardown.add("driver", () => this.system.unregisterDriver(projectedDriver));
    await this.system.addDevice(this.#adapter);
    this.#teardown.add("adapter", () => this.system.unregisterDevice(this.#adapter));
    this.#teardown.add("guests", () => this.guests.close());
  }

  /** A kernel that presents this credential. @throws KernelError ECONNREFUSED, ECONNRESET, ETIMEDOUT */
  async enter(credential: string): Promise<Kernel> {
    const pipe = createVmbusPipe(this.runtime, `pipe ${this.pipes.length}`);
    this.pipes.push(pipe);
    const visitor = { reach: "local", from: undefined, known: () => undefined } as const;
    this.runtime.scheduler.spawn("meeting with a kernel", () => this.door.meet(pipe.host, visitor));
    return Kernel.connect(pipe.guest, credential, this.runtime);
  }

  async close(): Promise<void> {
    await this.#teardown.run();
  }
}
