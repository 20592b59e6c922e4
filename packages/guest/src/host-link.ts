/**
 * The guest's way to its host, for as long as the guest kernel runs: when the host goes, so do its vGPUs, and it is dialled
 * again, for ever, until it is there or says that it does not know this guest.
 */

import type { Duplex } from "node:stream";
import {
  type BootClock,
  Heartbeat,
  type VmbusCarrier,
  VmbusConnection,
  type VmbusDevice,
  type VmbusDriver,
  VmbusRefusedError,
} from "parhelion-buses";
import { type Bus, Completion, invoke, type Named, noDeadline, type System } from "parhelion-core";
import { VmbusFeature } from "parhelion-protocol";

/** The first pause before the host is dialled again, in ms; each later one is twice as long. */
const firstPauseMs = 1000;
const longestPauseMs = 10_000;

/** What the host says for good: nothing that happens there by itself makes this guest known again. */
const finalRefusals: ReadonlySet<string> = new Set(["guest-unknown", ""]);

export type HostLinkState =
  /** Nobody has been dialled. */
  | "idle"
  | "connected"
  /** The host has gone and is dialled again, now and then. */
  | "reconnecting"
  /** The host does not know this guest any more, or can't be dialled again. */
  | "refused"
  | "stopped";

export type Connect = (abort: AbortSignal) => Promise<Duplex | VmbusCarrier>;

export interface HostLinkInit {
  readonly system: System;
  readonly vmbus: Bus<VmbusDevice, VmbusDriver>;
  /** In the host's log. */
  readonly name: string;
  readonly credential: string;
  readonly connect: Connect;
  /** Null: what has ended can't be made again. */
  readonly redial: Connect | null;
  /** Null: nobody looks whether the host is still there; its connection ends by itself. */
  readonly bootClock: BootClock | null;
  /** In the step in which the connection has ended, before its devices go. */
  readonly lost: () => void;
  readonly changed: (state: HostLinkState, reason: Error) => void;
}

export class HostLink implements Named {
  readonly name: string;
  readonly #init: HostLinkInit;
  readonly #abort = new AbortController();
  readonly #stopped: Completion;
  /** The task that keeps the connection has ended. */
  readonly #over: Completion;
  #state: HostLinkState = "idle";
  #connection: VmbusConnection | null = null;

  constructor(init: HostLinkInit) {
    this.#init = init;
    this.name = `way of ${init.name} to its host`;
    const { runtime } = init.system;
    this.#stopped = new Completion(runtime, `stop of the ${this.name}`);
    this.#over = new Completion(runtime, `end of the ${this.name}`);
  }

  get state(): HostLinkState {
    this.#access("read");
    return this.#state;
  }

  /** Asked anew after each wait. */
  get #isStopped(): boolean {
    return this.state === "stopped";
  }

  /**
   * Returns when the vGPUs that the host offers at once were probed. Once. @throws VmbusRefusedError, KernelError ECONNREFUSED,
   * ETIMEDOUT, ECONNRESET; what `connect` throws
   */
  async start(): Promise<void> {
    const connection = await this.#connect(this.#init.connect);
    this.#init.system.runtime.scheduler.spawn(this.name, () => this.#keep(connection));
  }

  /** Says good-bye; returns when the connection's devices have gone. Idempotent. @throws KernelError ETIMEDOUT */
  async stop(): Promise<void> {
    const before = this.state;
    this.#become("stopped");
    this.#abort.abort();
    this.#stopped.completeAll();
    await this.#connection?.close();
    if (before !== "idle") await this.#over.wait();
  }

  async #connect(connect: Connect): Promise<VmbusConnection> {
    const { system, vmbus, name, credential, bootClock } = this.#init;
    const { runtime } = system;
    const stream = await invoke(runtime, "guest.connect", this, () => connect(this.#abort.signal));
    const connection = await VmbusConnection.connect(system, vmbus, stream, { name, credential });
    if (this.#isStopped) {
      await connection.close();
      return connection;
    }
    this.#access("write");
    this.#connection = connection;
    this.#state = "connected";
    if (bootClock !== null && (connection.features & VmbusFeature.HEARTBEAT) !== 0n)
      new Heartbeat(runtime, bootClock, connection).start();
    return connection;
  }

  async #keep(first: VmbusConnection): Promise<void> {
    try {
      let connection: VmbusConnection | null = first;
      while (connection !== null) {
        const reason = await this.#ended(connection);
        // Its devices have the names that those of the next one will have.
        await connection.close(reason, { deadline: noDeadline });
        connection = this.state === "reconnecting" ? await this.#reconnect() : null;
      }
    } finally {
      this.#over.completeAll();
    }
  }

  /** Waits until the connection has ended. */
  async #ended(connection: VmbusConnection): Promise<Error> {
    const { runtime } = this.#init.system;
    const ended = new Completion<Error>(runtime, `end of a connection of ${this.name}`);
    connection.onClose((reason) => {
      this.#onLost(reason);
      ended.completeAll(reason);
    });
    return ended.wait({ deadline: noDeadline });
  }

  #onLost(reason: Error): void {
    const { lost, redial, system } = this.#init;
    this.#access("write");
    this.#connection = null;
    lost();
    if (this.#state === "stopped") return;
    system.runtime.log("warn", "guest.disconnected", { reason: reason.message });
    this.#tell(redial === null ? "refused" : "reconnecting", reason);
  }

  /** Null when it was stopped, or refused. */
  async #reconnect(): Promise<VmbusConnection | null> {
    const { system, redial } = this.#init;
    const { runtime } = system;
    for (let pauseMs = firstPauseMs; redial !== null; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
      await this.#pause(pauseMs);
      if (this.#isStopped) return null;
      try {
        const connection = await this.#connect(redial);
        if (this.#isStopped) return null;
        runtime.log("info", "guest.reconnected", {});
        this.#init.changed("connected", new Error("the host is there again"));
        return connection;
      } catch (error) {
        if (this.#isStopped) return null;
        if (error instanceof VmbusRefusedError && finalRefusals.has(error.why)) {
          // Whoever runs the kernel is told, and tells it to people.
          runtime.log("warn", "guest.refused", { reason: error.message });
          this.#tell("refused", error);
          return null;
        }
        runtime.log("debug", "guest.not-reconnected", { error });
      }
    }
    return null;
  }

  /** Between half of `ms` and all of it: guests that lost the same host do not come back in one moment. */
  async #pause(ms: number): Promise<void> {
    const { clock, random } = this.#init.system.runtime;
    const pauseMs = ms / 2 + ((ms / 2) * random.uint32()) / 2 ** 32;
    try {
      await this.#stopped.wait({ deadline: clock.now() + pauseMs });
    } catch {
      // Nobody stopped it.
    }
  }

  #become(state: HostLinkState): void {
    this.#access("write");
    this.#state = state;
  }

  #tell(state: HostLinkState, reason: Error): void {
    this.#become(state);
    this.#init.changed(state, reason);
  }

  #access(mode: "read" | "write"): void {
    this.#init.system.runtime.scheduler.access(this, mode);
  }
}
