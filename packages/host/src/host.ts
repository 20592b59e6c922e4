/**
 * The daemon: owns the state directory, the adapter, the guests and everything they have, and takes all of it down in order. A
 * process may hold several hosts, on different directories.
 */
import { existsSync } from "node:fs";
import { rm, rmdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { MdevBus } from "parhelion-buses";
import { Completion, createRuntime, noDeadline, type Runtime, System, Timer } from "parhelion-core";
import { SYS_SOCKET } from "parhelion-protocol";
import { systemMemory } from "./adapters/capacity.js";
import { defaultHealthPolicy } from "./adapters/health-policy.js";
import { healthProbe } from "./adapters/health-probe.js";
import { probeAdapter } from "./adapters/probe.js";
import { SleepWatch, systemBootClock } from "./adapters/sleep-watch.js";
import { type AdminTarget, adminMethods } from "./admin/admin-methods.js";
import { AdminServer } from "./admin/admin-server.js";
import { sliceMethods } from "./admin/slice-methods.js";
import { serveTree } from "./admin/tree-server.js";
import { vfioMethods } from "./admin/vfio-methods.js";
import { defaultBackOff } from "./engines/back-off.js";
import { defaultEngineDeadlines } from "./engines/engine-process.js";
import { EngineSpawner } from "./engines/spawn-engine.js";
import { GuestListener } from "./guests/guest-listener.js";
import { type CreatedGuest, Guests, type GuestWish } from "./guests/guests.js";
import { KernelDoor } from "./guests/kernel-door.js";
import { QueueRelay } from "./guests/queue-relay.js";
import { checkRoomForGuests, clearRunDirectories, runDirectoriesIn } from "./guests/run-directory.js";
import { HostError } from "./host-error.js";
import { defaultOrphanMs, defaultRevokeMs, defaultStopMs, type HostOptions } from "./host-options.js";
import { defaultLimits, type HostLimits } from "./limits.js";
import { createPinoSink } from "./log.js";
import { Observation } from "./observe/observation.js";
import { systemWallTime } from "./observe/wall-time.js";
import { type Secrets, systemSecrets } from "./secrets.js";
import { clearLocalDirectories, localDirectoriesIn } from "./slices/local-nodes.js";
import { SliceHouse } from "./slices/slice-house.js";
import { acquireHostLock } from "./state/host-lock.js";
import { engineMark, killLeftoverEngines, markOf } from "./state/leftover-engines.js";
import { clearStaleSocket } from "./state/socket-path.js";
import { defaultStateDirectory, prepareStateDirectory } from "./state/state-directory.js";
import { adapterStatuses, guestStatuses, type HostStatus, sliceStatuses } from "./status.js";
import { forgetStore, openMemoryStore, openStore, removeStore } from "./store/open-store.js";
import type { HostStore } from "./store/store.js";
import { Task } from "./task.js";
import { Teardown } from "./teardown.js";

export interface HostAddress {
  readonly host: string;
  readonly port: number;
}

interface Parts {
  readonly runtime: Runtime;
  readonly stateDirectory: string;
  readonly system: System;
  readonly spawner: EngineSpawner;
  readonly guests: Guests;
  readonly house: SliceHouse;
  readonly teardown: Teardown;
  readonly address: HostAddress | null;
  readonly stopMs: number;
  readonly observation: Observation;
}

/** With its engines killed a stop has only sockets and directories left to remove: it gets this long at least, in ms. */
const clearingMs = 5000;

export class Host implements AdminTarget {
  readonly stateDirectory: string;
  /** Where administrators connect. */
  readonly adminSocket: string;
  /** Where kernels of local guests connect. */
  readonly vmbusSocket: string;
  /** Where kernels of remote guests connect; null when the host was not told to listen. */
  readonly address: HostAddress | null;
  /** Where metrics are served; null when the host was not told to. */
  metricsAddress: HostAddress | null = null;
  /** Resolves when the host has stopped, whoever asked for it. Never rejects. */
  readonly stopped: Promise<void>;
  readonly #parts: Parts;
  readonly #over: Completion;
  #stopping: Task | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.stateDirectory = parts.stateDirectory;
    this.adminSocket = adminSocketIn(parts.stateDirectory);
    this.vmbusSocket = vmbusSocketIn(parts.stateDirectory);
    this.address = parts.address;
    this.#over = new Completion(parts.runtime, "end of the host");
    this.stopped = this.#over.wait({ deadline: noDeadline });
  }

  async status(): Promise<HostStatus> {
    const { runtime, house, guests, observation } = this.#parts;
    return {
      pid: process.pid,
      stateDirectory: this.stateDirectory,
      listening: this.address,
      adapters: adapterStatuses(house.adapters),
      slices: observation.withTotals(await sliceStatuses(runtime, house.slices)),
      guests: guestStatuses(guests),
    };
  }

  /** @throws HostError limit-reached, bad-descriptor, store-failed, host-stopping */
  guestCreate(wish: GuestWish = {}): Promise<CreatedGuest> {
    return this.#parts.guests.create(wish);
  }

  /** @throws HostError guest-unknown */
  guestRemove(id: string): Promise<void> {
    return this.#parts.guests.remove(id);
  }

  /** `stop`, for those who do not wait for it. */
  shutdown(): void {
    // Not at once: who asked for it still gets the answer.
    new Timer(this.#parts.runtime, "shutdown", () => this.stop()).start(0);
  }

  /**
   * Rescinds every channel, ends every engine, removes sockets and directories, and gives the lock back. What is not done by
   * the deadline is killed. Never rejects; the second call waits for the first.
   */
  async stop(): Promise<void> {
    if (this.#stopping === undefined) {
      this.#parts.guests.refuseNew();
      this.#stopping = new Task(this.#parts.runtime, "stop of the host", async () => {
        try {
          await this.#stop();
        } finally {
          this.#over.completeAll();
        }
      });
    }
    await this.stopped;
  }

  async #stop(): Promise<void> {
    const { runtime, teardown, spawner, stopMs } = this.#parts;
    runtime.log("info", "host.stopping", { stateDirectory: this.stateDirectory });
    const orderly = new Task(runtime, "orderly stop", () => teardown.run());
    if (!(await orderly.endsWithin(runtime, stopMs))) {
      runtime.log("warn", "host.stop-slow", { afterMs: stopMs });
      await spawner.close("the host did not stop in time");
      await orderly.endsWithin(runtime, Math.max(stopMs, clearingMs));
    }
    runtime.log("info", "host.stopped", { stateDirectory: this.stateDirectory });
  }
}

/**
 * @throws HostError state-directory-foreign, state-directory-unusable, socket-path-too-long, host-already-running, no-adapter,
 * listen-failed. Nothing is left behind then.
 */
export async function startHost(options: HostOptions): Promise<Host> {
  const given =
    options.runtime ??
    createRuntime({ log: options.log ?? createPinoSink({ level: options.logLevel ?? "warn" }) });
  const observation = new Observation(given, options.wallTime ?? systemWallTime);
  const { runtime } = observation;
  const teardown = new Teardown(runtime);
  try {
    return await setUp(options, observation, teardown);
  } catch (error) {
    await teardown.run();
    throw error;
  }
}

async function setUp(options: HostOptions, observation: Observation, teardown: Teardown): Promise<Host> {
  const { runtime } = observation;
  const limits: HostLimits = { ...defaultLimits, ...options.limits };
  const secrets: Secrets = options.secrets ?? systemSecrets;
  const wished = resolve(options.stateDirectory ?? defaultStateDirectory());
  checkRoomForGuests(wished);
  const before = existsSync(wished) ? "there" : "missing";
  const directory = await prepareStateDirectory(wished);
  const lock = await acquireHostLock(directory, runtime.clock);
  teardown.add("lock", () => lock.release());
  // With the lock still held; what somebody else has put there keeps it.
  if (before === "missing") teardown.add("state directory", () => rmdir(directory).catch(() => undefined));
  await takeOver(directory, runtime);
  const store = await storeOf(options, directory, runtime);
  teardown.add("run directories", () => clearRunDirectories(directory, idsKept(options, store)));
  teardown.add("store", () => endStore(options, store, directory));
  await clearLeftovers(directory, idsKept(options, store), runtime);

  const spawner = new EngineSpawner({
    launcher: options.launcher,
    runtime,
    limits,
    deadlines: { ...defaultEngineDeadlines, ...options.deadlines },
    mark: { [engineMark]: await markOf(directory) },
  });
  teardown.add("engines", () => spawner.close("the host stops"));
  const probeSocket = join(directory, "probe.sock");
  teardown.add("probe socket", () => rm(probeSocket, { force: true }));

  const system = new System(runtime);
  const house = new SliceHouse({
    system,
    mdev: new MdevBus(system),
    store,
    spawner,
    limits,
    secrets,
    backOff: { ...defaultBackOff, ...options.backOff },
    machine: systemMemory(),
    probe: (wish) => probeAdapter(spawner, wish, probeSocket),
    health: {
      policy: { ...defaultHealthPolicy, ...options.health },
      probe: healthProbe(spawner, directory),
    },
    openLocalNode: options.openLocalNode,
    vmbus: vmbusSocketIn(directory),
    localDirectories: localDirectoriesIn(directory, "local"),
    vfio: {
      revokeMs: options.revokeMs ?? defaultRevokeMs,
      directories: localDirectoriesIn(directory, "vfio"),
    },
  });
  await house.open();
  const guests = new Guests({
    runtime,
    store,
    slices: house.slices,
    stateDirectory: directory,
    directories: runDirectoriesIn(directory),
    secrets,
    limits,
    orphanMs: options.orphanMs ?? defaultOrphanMs,
  });
  await guests.restore();
  const byCredential = (credential: string) =>
    guests.byCredential(credential) ?? house.byCredential(credential);
  const relay = new QueueRelay({ runtime, limits, byCredential });
  const door = new KernelDoor({ runtime, limits, secrets, byCredential, relay });
  teardown.add("queues of remote guests", () => relay.close());
  teardown.add("kernels", () => door.close());
  teardown.add("guests", () => guests.close());
  // Before the connections: who is told that a slice goes hears why.
  teardown.add("slices", () => house.close());

  const listener = new GuestListener({
    runtime,
    onKernel: (socket, reach) => door.admit(socket, reach),
    onQueue: (socket, queue) => relay.accept(socket, queue),
  });
  teardown.add("listener", () => listener.close());
  await listener.listenOnPath(vmbusSocketIn(directory));
  for (const adapter of options.adapters ?? [{ wish: options.adapter ?? "best" }])
    await house.adapters.add(adapter);
  const watch = new SleepWatch(runtime, options.bootClock ?? systemBootClock, (ms) =>
    house.adapters.doubt(`the machine slept for ${ms} ms`),
  );
  teardown.add("sleep watch", () => watch.close());
  const { listen } = options;
  const address =
    listen === undefined ? null : await listener.listenOnPort(listen.host ?? "127.0.0.1", listen.port);

  const host = new Host({
    runtime,
    stateDirectory: directory,
    system,
    spawner,
    guests,
    house,
    teardown,
    address,
    stopMs: options.stopMs ?? defaultStopMs,
    observation,
  });
  await openAdmin(host, house, observation, limits, teardown);
  if (options.metrics !== undefined) {
    const metrics = await observation.serveMetrics(options.metrics, () => host.status());
    teardown.add("metrics", () => metrics.close());
    host.metricsAddress = metrics.address;
  }
  const tree = await serveTree(system, join(directory, SYS_SOCKET));
  teardown.add("device tree's socket", () => tree.close("the host stopped"));
  runtime.log("info", "host.started", { stateDirectory: directory, address });
  return host;
}

async function openAdmin(
  host: Host,
  house: SliceHouse,
  observation: Observation,
  limits: HostLimits,
  teardown: Teardown,
): Promise<void> {
  const admin = await AdminServer.listen({
    path: host.adminSocket,
    methods: {
      ...adminMethods(host),
      ...sliceMethods(observation.runtime, house),
      ...vfioMethods(house.serving),
      ...observation.methods,
    },
    runtime: observation.runtime,
    maxConnections: limits.adminConnections,
    maxRequests: limits.adminRequests,
  });
  teardown.add("admin socket", () => admin.stopListening());
  // Who follows the events hears of the end before his connection does.
  teardown.addLast("events", () => observation.close());
  teardown.addLast("admin connections", () => admin.close());
}

/**
 * With the lock held, what lies here is a dead host's. Unless a host in another network namespace, whose locks are not seen here,
 * shares the directory: its sockets answer.
 */
async function takeOver(directory: string, runtime: Runtime): Promise<void> {
  const sockets = [adminSocketIn(directory), vmbusSocketIn(directory), join(directory, SYS_SOCKET)];
  for (const path of sockets) {
    if ((await clearStaleSocket(path, runtime.clock)) === "alive") {
      throw new HostError(
        "host-already-running",
        `a host outside this network namespace answers at ${path}.`,
        { details: { directory }, remedy: "Stop it, or use another state directory." },
      );
    }
  }
}

/** What a host that was killed has left. With the store open: nobody else has it. */
async function clearLeftovers(directory: string, kept: ReadonlySet<string>, runtime: Runtime): Promise<void> {
  const { killed, staying } = await killLeftoverEngines(await markOf(directory), runtime.clock);
  if (killed.length > 0) runtime.log("info", "leftovers.ended", { directory, engines: killed });
  if (staying.length > 0) runtime.log("warn", "leftovers.stay", { directory, engines: staying });
  await clearRunDirectories(directory, kept);
  for (const folder of ["local", "vfio"] as const) await clearLocalDirectories(directory, folder);
}

/** @throws HostError store-damaged, store-unavailable, host-already-running */
async function storeOf(options: HostOptions, directory: string, runtime: Runtime): Promise<HostStore> {
  if (options.store === "memory") return openMemoryStore(runtime);
  if (options.forgetState === true) await forgetStore(runtime, directory);
  return openStore(runtime, directory);
}

async function endStore(options: HostOptions, store: HostStore, directory: string): Promise<void> {
  await store.close();
  if (options.store !== "memory" && store.state === "blank") await removeStore(directory);
}

/** Whose run directories stay, in use by kernels that may be alive. */
function idsKept({ store: place }: HostOptions, { guests }: HostStore): ReadonlySet<string> {
  return new Set(place === "memory" ? [] : guests.map(({ id }) => id));
}

function adminSocketIn(directory: string): string {
  return join(directory, "admin.sock");
}

function vmbusSocketIn(directory: string): string {
  return join(directory, "vmbus.sock");
}
