/**
 * One engine from its start to its exit. It ends in exactly one way: its exit is known, and everything that was asked of it has
 * settled by then.
 */
import { Completion, isKernelError, type Named, noDeadline, type Runtime } from "parhelion-core";
import {
  type AdapterDescription,
  addressed,
  type DeviceGrant,
  type DeviceRequest,
  type EngineMemory,
  type EngineQuota,
  type EngineRefusal,
  type EngineStatistics,
  type FromEngine,
  isAddressedTo,
  parseFromEngine,
  type ToEngine,
} from "parhelion-protocol";
import { HostError, messageOf } from "../host-error.js";
import { tell } from "../observe/event-list.js";
import type { TimeShare } from "../time/time-share.js";
import {
  type EngineChild,
  type EngineProgram,
  type StartEngineChild,
  startEngineChild,
} from "./engine-child.js";
import { describeExit, type EngineExit } from "./engine-exit.js";
import { EngineTurns } from "./engine-turns.js";
import { type Answer, PendingRequests } from "./pending-requests.js";

export interface EngineDeadlines {
  /** From spawn to `ready`, in ms. A software GPU on a busy machine needs seconds. */
  readonly startMs: number;
  /** For an answer to createDevice, createQueue and statistics, in ms. */
  readonly replyMs: number;
  /** How long an engine that missed a deadline may stay silent before it is killed, in ms. */
  readonly suspectMs: number;
  /** Between asking an engine to stop and killing it, in ms. */
  readonly stopMs: number;
}

export const defaultEngineDeadlines: EngineDeadlines = {
  startMs: 60_000,
  replyMs: 30_000,
  suspectMs: 60_000,
  stopMs: 2000,
};

export interface EngineProcessOptions extends EngineProgram {
  readonly runtime: Runtime;
  /** For schedules: whose engine it is. */
  readonly name: string;
  readonly start: Omit<Extract<ToEngine, { op: "start" }>, "op">;
  readonly deadlines: EngineDeadlines;
  /** Its slice's place in the adapter's time; without one it has the adapter whenever it likes. */
  readonly time?: TimeShare | undefined;
  /** Default: a child process. */
  readonly startChild?: StartEngineChild | undefined;
  readonly onOutput: (stream: "stdout" | "stderr", line: string) => void;
  readonly onMemory?: ((memory: EngineMemory) => void) | undefined;
  readonly onDeviceLost: (device: number, reason: "unknown" | "destroyed", message: string) => void;
}

/** The engine understood and said no; the refusal is for the application. */
export class EngineRefusedError extends Error {
  override readonly name = "EngineRefusedError";
  readonly refusal: EngineRefusal;

  constructor(refusal: EngineRefusal) {
    super(refusal.message);
    this.refusal = refusal;
  }
}

export class EngineProcess implements Named {
  readonly name: string;
  readonly pid: number | undefined;
  /** Told when a request was not answered in time: the engine may hang. */
  onLate: (operation: string) => void = () => undefined;
  readonly #runtime: Runtime;
  readonly #child: EngineChild;
  readonly #options: EngineProcessOptions;
  readonly #pending: PendingRequests;
  readonly #turns: EngineTurns | undefined;
  readonly #ready: Completion<AdapterDescription>;
  readonly #exited: Completion<EngineExit>;
  readonly #readyBy: number;
  #sandbox: readonly string[] = [];
  #exit: EngineExit | undefined;
  #cause: string | undefined;
  #lastErrorLine: string | undefined;

  constructor(options: EngineProcessOptions) {
    const { runtime, name, deadlines, onOutput, startChild = startEngineChild } = options;
    this.#runtime = runtime;
    this.#options = options;
    this.name = name;
    this.#pending = new PendingRequests(
      runtime,
      `requests to ${name}`,
      (operation) => this.onLate(operation),
      () => this.#turns?.pausedMs ?? 0,
    );
    this.#ready = new Completion(runtime, `start of ${name}`);
    this.#exited = new Completion(runtime, `exit of ${name}`);
    this.#readyBy = runtime.clock.now() + deadlines.startMs;
    this.#child = startChild(runtime.clock, options, {
      message: (message) => this.#receive(message),
      output: (stream, line) => {
        if (stream === "stderr") this.#lastErrorLine = line;
        onOutput(stream, line);
      },
      ended: (exitCode, signal, error) => this.#ended(exitCode, signal, error),
    });
    this.pid = this.#child.pid;
    if (options.time !== undefined)
      this.#turns = new EngineTurns(options.time, this.#child, (message) => this.#send(message));
    this.#send({ op: "start", ...options.start });
  }

  /** What has been taken away from its process, by name; empty before it is ready. */
  get sandbox(): readonly string[] {
    this.#runtime.scheduler.access(this, "read");
    return this.#sandbox;
  }

  /** Undefined while the engine lives. */
  get exit(): EngineExit | undefined {
    this.#runtime.scheduler.access(this, "read");
    return this.#exit;
  }

  /** Waits until the engine answers for an adapter, and kills it when it is late. @throws HostError engine-start-failed */
  async whenReady(): Promise<AdapterDescription> {
    try {
      return await this.#ready.wait({ deadline: this.#readyBy });
    } catch (error) {
      if (!isKernelError(error, "ETIMEDOUT")) throw error;
      const why = `not ready within ${this.#options.deadlines.startMs} ms`;
      this.kill(why);
      throw startFailed(why);
    }
  }

  /** Waits for the end, however long the engine lives. */
  async whenExited(): Promise<EngineExit> {
    return this.#exited.wait({ deadline: noDeadline });
  }

  /** @throws EngineRefusedError, HostError engine-gone, engine-silent */
  async createDevice(
    device: number,
    owner: number,
    request: DeviceRequest,
  ): Promise<DeviceGrant | undefined> {
    return this.#pending.open<DeviceGrant | undefined>(
      "createDevice",
      this.#options.deadlines.replyMs,
      (id) => this.#send({ op: "createDevice", id, device, owner, request }),
    );
  }

  /** @param taken why its application loses it, where it has not asked for that */
  destroyDevice(device: number, taken?: string): void {
    this.#send({ op: "destroyDevice", device, ...(taken === undefined ? {} : { taken }) });
  }

  /** @throws EngineRefusedError, HostError engine-gone, engine-silent */
  async createQueue(device: number, queue: number, token: string): Promise<void> {
    await this.#pending.open("createQueue", this.#options.deadlines.replyMs, (id) =>
      this.#send({ op: "createQueue", id, device, queue, token }),
    );
  }

  /** From the next allocation on. */
  setQuota(quota: EngineQuota): void {
    this.#send({ op: "quota", quota });
  }

  destroyQueue(queue: number): void {
    this.#send({ op: "destroyQueue", queue });
  }

  /**
   * Answers with the fence's value when it has reached `value`; with engine-gone when the engine ends. No deadline: only the
   * waiter knows how long its work takes. @returns gives the wait up
   */
  waitFence(queue: number, value: number, answer: Answer<number>): () => void {
    return this.#pending.ask(answer, (id) => this.#send({ op: "waitFence", id, queue, value }));
  }

  /**
   * Has the engine look at the queue's ring now. Answers with the value that the queue's fence has when all is done that it
   * found there, as soon as it has read it; a queue that is far ahead of its GPU is not read on. Otherwise as `waitFence`.
   */
  submit(queue: number, answer: Answer<number>): () => void {
    return this.#pending.ask(answer, (id) => this.#send({ op: "submit", id, queue }));
  }

  /** Any engine that is not stuck answers this at once. @throws HostError engine-gone, engine-silent */
  async statistics(ms: number = this.#options.deadlines.replyMs): Promise<EngineStatistics> {
    return this.#pending.open<EngineStatistics>("statistics", ms, (id) =>
      this.#send({ op: "statistics", id }),
    );
  }

  /** Asks the engine to end, and kills it when it does not within the stop deadline. Never rejects. */
  async stop(cause: string): Promise<EngineExit> {
    if (this.exit === undefined) {
      this.#blame(cause);
      // One that is paused would not hear it.
      this.#turns?.end();
      this.#send({ op: "stop" });
      const deadline = this.#runtime.clock.now() + this.#options.deadlines.stopMs;
      try {
        return await this.#exited.wait({ deadline });
      } catch {
        this.#child.kill();
      }
    }
    return this.whenExited();
  }

  kill(cause: string): void {
    if (this.exit !== undefined) return;
    this.#blame(cause);
    this.#turns?.end();
    this.#child.kill();
  }

  #send(message: ToEngine): void {
    this.#child.send(addressed(message, this.#options.start));
  }

  /** The first cause counts. */
  #blame(cause: string): void {
    this.#runtime.scheduler.access(this, "write");
    this.#cause ??= cause;
  }

  #ended(exitCode: number | null, signal: NodeJS.Signals | null, error?: string): void {
    if (this.exit !== undefined) return;
    if (error !== undefined) this.#blame(error);
    this.#runtime.scheduler.access(this, "write");
    const exit: EngineExit = { exitCode, signal, lastErrorLine: this.#lastErrorLine, cause: this.#cause };
    this.#exit = exit;
    this.#turns?.end();
    const how = describeExit(exit);
    this.#ready.fail(startFailed(how));
    this.#pending.close(new HostError("engine-gone", how));
    this.#exited.completeAll(exit);
  }

  #receive(raw: unknown): void {
    let message: FromEngine;
    try {
      if (!isAddressedTo(raw, this.#options.start)) {
        const { slice, generation } = this.#options.start;
        this.#runtime.log("warn", "message.stale", { code: "slice-stale", slice, generation });
        return;
      }
      message = parseFromEngine(raw);
    } catch (error) {
      this.kill(`it sent a malformed message: ${messageOf(error)}`);
      return;
    }
    switch (message.op) {
      case "ready":
        this.#turns?.begin(message.pausable === true && message.adapter.info.isFallbackAdapter);
        this.#sandbox = message.sandbox ?? [];
        this.#runtime.log("debug", "engine.sandbox", { engine: this.pid, sandbox: this.#sandbox });
        this.#ready.completeAll(message.adapter);
        return;
      case "failed":
        this.#blame(message.message);
        this.#ready.fail(startFailed(message.message));
        return;
      case "created":
        this.#pending.resolve(message.id, message.grant);
        return;
      case "refused":
        this.#pending.reject(message.id, new EngineRefusedError(message.refusal));
        return;
      case "fence":
        this.#pending.resolve(message.id, message.value);
        return;
      case "statistics":
        this.#pending.resolve(message.id, message.statistics);
        return;
      case "memory": {
        const { used, peak, refused } = message;
        this.#options.onMemory?.({ used, peak, refused });
        return;
      }
      case "wantTime":
        this.#turns?.want();
        return;
      case "yieldTime":
        this.#turns?.yielded(message.lease, message.next);
        return;
      case "timeUsed":
        this.#turns?.used(message.busyMs);
        return;
      case "overrun":
        tell(this.#runtime, "engine.overrun", {
          slice: this.#options.start.slice,
          device: message.device,
          reason: message.message,
        });
        this.kill(message.message);
        return;
      case "deviceLost":
        this.#options.onDeviceLost(message.device, message.reason, message.message);
    }
  }
}

function startFailed(why: string): HostError {
  return new HostError("engine-start-failed", `the engine did not start: ${why}`);
}
