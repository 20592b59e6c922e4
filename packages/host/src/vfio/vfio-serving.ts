/**
 * The sockets on which this host serves slices by vfio-user. Each is somebody's who asked for it and goes on asking how it is:
 * when he does not any more, it is closed.
 */
import type { MdevBus } from "parhelion-buses";
import { Completion, isKernelError, type Named, noDeadline, type Runtime, Timer } from "parhelion-core";
import { loadKoffi, VfioUserServer, vfioDeviceOf } from "parhelion-vfio";
import { HostError, messageOf } from "../host-error.js";
import { checkSocketPath } from "../state/socket-path.js";

export interface VfioService {
  readonly id: number;
  /** UUID. */
  readonly slice: string;
  /** Where clients connect. */
  readonly socket: string;
}

export interface VfioServiceState {
  readonly state: "serving" | "ended";
  /** Why it has ended; empty while it is served. */
  readonly reason: string;
}

interface Kept {
  readonly service: VfioService;
  readonly server: VfioUserServer;
  readonly lease: Timer;
  readonly ended: Completion<string>;
}

/** How long nobody may ask how a service is, in ms. */
const leaseMs = 20_000;
const stopping = "the host stops";

export class VfioServing implements Named {
  readonly name = "services of slices";
  readonly #runtime: Runtime;
  readonly #mdev: MdevBus;
  readonly #kept = new Map<number, Kept>();
  /** UUIDs of slices whose service is about to begin. */
  readonly #beginning = new Set<string>();
  #state: "open" | "closed" = "open";

  constructor(mdev: MdevBus) {
    this.#runtime = mdev.system.runtime;
    this.#mdev = mdev;
  }

  list(): readonly VfioService[] {
    this.#access("read");
    return [...this.#kept.values()].map(({ service }) => service);
  }

  /** @throws HostError slice-not-vfio, slice-served, listen-failed, socket-path-too-long, host-stopping */
  async serve(uuid: string, socket: string): Promise<VfioService> {
    this.#assertOpen();
    const mdev = this.#mdev.find(uuid);
    const device = mdev === undefined ? undefined : vfioDeviceOf(mdev)?.name;
    if (device === undefined)
      throw new HostError(
        "slice-not-vfio",
        `slice ${uuid} is used as ${mdev?.use ?? "nothing"}, not as vfio.`,
        {
          details: { slice: uuid },
          remedy: `\`parhelion unbind ${uuid}\` and \`parhelion bind ${uuid} vfio\` change that.`,
        },
      );
    const other = this.list().find(({ slice }) => slice === uuid);
    this.#access("write");
    if (other !== undefined || this.#beginning.has(uuid))
      throw new HostError("slice-served", `slice ${uuid} is served at ${other?.socket ?? socket} already.`, {
        details: { slice: uuid },
        remedy: "End that first: one has a device at a time.",
      });
    this.#beginning.add(uuid);
    try {
      checkSocketPath(socket);
      const koffi = await loadKoffi();
      const { system } = this.#mdev;
      const server = await VfioUserServer.listen(system, { device, socketPath: socket, koffi });
      if (this.#isClosed) await server.close(stopping);
      this.#assertOpen();
      return this.#keep(uuid, server);
    } catch (error) {
      if (error instanceof HostError) throw error;
      throw new HostError(
        "listen-failed",
        `slice ${uuid} can't be served at ${socket}: ${messageOf(error)}.`,
        {
          cause: error,
          details: { slice: uuid, path: socket },
        },
      );
    } finally {
      this.#access("write");
      this.#beginning.delete(uuid);
    }
  }

  /** Answers when it has ended, or after `waitMs`. @throws HostError service-unknown */
  async watch(id: number, waitMs: number): Promise<VfioServiceState> {
    const runtime = this.#runtime;
    const { lease, ended } = this.#get(id);
    lease.start(waitMs + leaseMs);
    try {
      const reason = await ended.wait({ deadline: runtime.clock.now() + waitMs });
      return { state: "ended", reason };
    } catch (error) {
      if (isKernelError(error, "ETIMEDOUT")) return { state: "serving", reason: "" };
      throw error;
    }
  }

  /** Takes the device from its client. @throws HostError service-unknown */
  async end(id: number): Promise<void> {
    const reason = "its service was ended";
    const { server } = this.#get(id);
    await server.close(reason);
    this.#forget(id, reason);
  }

  /** Ends all, also those that are about to begin. Idempotent. */
  async close(): Promise<void> {
    this.#access("write");
    this.#state = "closed";
    for (const [id, { server }] of [...this.#kept]) {
      await server.close(stopping);
      this.#forget(id, stopping);
    }
  }

  get #isClosed(): boolean {
    this.#access("read");
    return this.#state === "closed";
  }

  #assertOpen(): void {
    if (this.#isClosed) throw new HostError("host-stopping", "the host is stopping");
  }

  #keep(slice: string, server: VfioUserServer): VfioService {
    const runtime = this.#runtime;
    const { socketPath: socket } = server;
    const service: VfioService = { id: runtime.ids.next("vfio service"), slice, socket };
    const { id } = service;
    const lease = new Timer(runtime, `lease of the service of slice ${slice}`, () =>
      server.close("nobody asked how it is any more"),
    );
    this.#access("write");
    this.#kept.set(id, { service, server, lease, ended: new Completion(runtime, `end of service ${id}`) });
    runtime.scheduler.spawn(`end of service ${id}`, async () =>
      this.#forget(id, await server.ended({ deadline: noDeadline })),
    );
    lease.start(leaseMs);
    runtime.log("info", "vfio.served", { slice, socket });
    return service;
  }

  #forget(id: number, reason: string): void {
    this.#access("write");
    const kept = this.#kept.get(id);
    if (kept === undefined) return;
    this.#kept.delete(id);
    kept.lease.cancel();
    kept.ended.completeAll(reason);
    const { slice, socket } = kept.service;
    this.#runtime.log("info", "vfio.ended", { slice, socket, reason });
  }

  #get(id: number): Kept {
    this.#access("read");
    const kept = this.#kept.get(id);
    if (kept !== undefined) return kept;
    throw new HostError("service-unknown", `there is no service ${id}, or it has ended.`, {
      remedy: "Serve the slice again.",
    });
  }

  #access(mode: "read" | "write"): void {
    this.#runtime.scheduler.access(this, mode);
  }
}
