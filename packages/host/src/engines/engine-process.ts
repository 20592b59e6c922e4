/**
 * One engine child from spawn to exit. It ends in exactly one way: `exited` resolves, and everything that was asked of
 * it has settled before.
 */
import { type ChildProcess, spawn } from "node:child_process";
import type { Clock } from "parhelion-core";
import {
  type AdapterDescription,
  type DeviceGrant,
  type DeviceRequest,
  type EngineRefusal,
  type EngineStatistics,
  type FromEngine,
  parseFromEngine,
  type ToEngine,
} from "parhelion-protocol";
import { settledWithin, withDeadline } from "../deadline.js";
import { HostError, messageOf } from "../host-error.js";
import { describeExit, type EngineExit } from "./engine-exit.js";
import { readLines } from "./lines.js";
import { PendingRequests } from "./pending-requests.js";

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

/** After a child's exit its last output may still be in the pipe; it is waited for this long, in ms. */
const lastWordsMs = 250;

export interface EngineProcessOptions {
  readonly entry: string;
  readonly nodeFlags: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
  readonly start: Omit<Extract<ToEngine, { op: "start" }>, "op">;
  readonly deadlines: EngineDeadlines;
  readonly clock: Clock;
  readonly onOutput: (stream: "stdout" | "stderr", line: string) => void;
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

export class EngineProcess {
  /** Resolves when the engine answers for an adapter. Rejects with HostError engine-start-failed. */
  readonly ready: Promise<AdapterDescription>;
  /** Never rejects. */
  readonly exited: Promise<EngineExit>;
  readonly pid: number | undefined;
  /** Told when a request was not answered in time: the engine may hang. */
  onLate: (operation: string) => void = () => undefined;
  readonly #child: ChildProcess;
  readonly #options: EngineProcessOptions;
  readonly #pending: PendingRequests;
  #exit: EngineExit | undefined;
  #cause: string | undefined;
  #lastErrorLine: string | undefined;
  #becomeReady: (adapter: AdapterDescription) => void = () => undefined;
  #failToStart: (error: Error) => void = () => undefined;

  constructor(options: EngineProcessOptions) {
    this.#options = options;
    this.#pending = new PendingRequests(options.clock, (operation) => this.onLate(operation));
    this.#child = spawn(process.execPath, [...options.nodeFlags, options.entry], {
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      env: options.environment,
    });
    this.pid = this.#child.pid;
    const started = new Promise<AdapterDescription>((resolve, reject) => {
      this.#becomeReady = resolve;
      this.#failToStart = reject;
    });
    this.ready = withDeadline(options.clock, options.deadlines.startMs, started, () => {
      const why = `not ready within ${options.deadlines.startMs} ms`;
      this.kill(why);
      throw startFailed(why);
    });
    // Whoever waits for `ready` handles its rejection; nobody has to.
    this.ready.catch(() => undefined);
    this.exited = this.#watch();
    this.#send({ op: "start", ...options.start });
  }

  /** Undefined while the engine lives. */
  get exit(): EngineExit | undefined {
    return this.#exit;
  }

  /** @throws EngineRefusedError, HostError engine-gone, engine-silent */
  createDevice(device: number, owner: number, request: DeviceRequest): Promise<DeviceGrant | undefined> {
    return this.#pending.open("createDevice", this.#options.deadlines.replyMs, (id) =>
      this.#send({ op: "createDevice", id, device, owner, request }),
    );
  }

  destroyDevice(device: number): void {
    this.#send({ op: "destroyDevice", device });
  }

  /** @throws EngineRefusedError, HostError engine-gone, engine-silent */
  async createQueue(device: number, queue: number, token: string): Promise<void> {
    await this.#pending.open("createQueue", this.#options.deadlines.replyMs, (id) =>
      this.#send({ op: "createQueue", id, device, queue, token }),
    );
  }

  destroyQueue(queue: number): void {
    this.#send({ op: "destroyQueue", queue });
  }

  /**
   * Resolves with the fence's value when it has reached `value`: no deadline of its own, since only the waiter knows how long
   * its work takes. Rejects with the signal's reason when aborted, with engine-gone when the engine ends.
   */
  waitFence(queue: number, value: number, signal?: AbortSignal): Promise<number> {
    return this.#await((id) => ({ op: "waitFence", id, queue, value }), signal);
  }

  /**
   * Has the engine look at the queue's ring now. Resolves with the value that the queue's fence has when all is done that it
   * found there, as soon as it has read it; a queue that is far ahead of its GPU is not read on. Otherwise as `waitFence`.
   */
  submit(queue: number, signal: AbortSignal): Promise<number> {
    return this.#await((id) => ({ op: "submit", id, queue }), signal);
  }

  #await(
    message: (id: number) => Extract<ToEngine, { op: "waitFence" | "submit" }>,
    signal?: AbortSignal,
  ): Promise<number> {
    let asked = 0;
    const abort = () => this.#pending.reject(asked, signal?.reason as Error);
    const wait = this.#pending.open<number>("wait", Number.POSITIVE_INFINITY, (id) => {
      asked = id;
      this.#send(message(id));
    });
    if (signal?.aborted === true) abort();
    signal?.addEventListener("abort", abort, { once: true });
    return wait.finally(() => signal?.removeEventListener("abort", abort));
  }

  /** Any engine that is not stuck answers this at once. @throws HostError engine-gone, engine-silent */
  statistics(ms: number = this.#options.deadlines.replyMs): Promise<EngineStatistics> {
    return this.#pending.open("statistics", ms, (id) => this.#send({ op: "statistics", id }));
  }

  /** Asks the engine to end, and kills it when it does not within the stop deadline. Never rejects. */
  async stop(cause: string): Promise<EngineExit> {
    if (this.#exit === undefined) {
      this.#cause ??= cause;
      this.#send({ op: "stop" });
      const { clock, deadlines } = this.#options;
      if (!(await settledWithin(clock, deadlines.stopMs, this.exited))) this.#child.kill("SIGKILL");
    }
    return this.exited;
  }

  kill(cause: string): void {
    if (this.#exit !== undefined) return;
    this.#cause ??= cause;
    this.#child.kill("SIGKILL");
  }

  #watch(): Promise<EngineExit> {
    const child = this.#child;
    const { onOutput } = this.#options;
    if (child.stdout !== null) readLines(child.stdout, (line) => onOutput("stdout", line));
    if (child.stderr !== null) {
      readLines(child.stderr, (line) => {
        this.#lastErrorLine = line;
        onOutput("stderr", line);
      });
    }
    child.on("message", (message) => this.#receive(message));
    const closed = new Promise<void>((resolve) => {
      child.once("close", () => resolve());
    });
    return new Promise((resolve) => {
      const end = (exitCode: number | null, signal: NodeJS.Signals | null) => {
        void settledWithin(this.#options.clock, lastWordsMs, closed).then(() => {
          resolve(this.#ended(exitCode, signal));
        });
      };
      child.once("exit", end);
      child.on("error", (error) => {
        // Without a pid there was no process and there will be no exit event.
        if (child.pid !== undefined || this.#exit !== undefined) return;
        this.#cause ??= error.message;
        resolve(this.#ended(null, null));
      });
    });
  }

  #ended(exitCode: number | null, signal: NodeJS.Signals | null): EngineExit {
    this.#exit = { exitCode, signal, lastErrorLine: this.#lastErrorLine, cause: this.#cause };
    const how = describeExit(this.#exit);
    this.#failToStart(startFailed(how));
    this.#pending.close(new HostError("engine-gone", how));
    return this.#exit;
  }

  #send(message: ToEngine): void {
    if (!this.#child.connected) return;
    // A failed write means that the child is going; its exit settles whatever waits.
    this.#child.send(message, () => undefined);
  }

  #receive(raw: unknown): void {
    let message: FromEngine;
    try {
      message = parseFromEngine(raw);
    } catch (error) {
      this.kill(`it sent a malformed message: ${messageOf(error)}`);
      return;
    }
    switch (message.op) {
      case "ready":
        this.#becomeReady(message.adapter);
        return;
      case "failed":
        this.#cause ??= message.message;
        this.#failToStart(startFailed(message.message));
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
      case "deviceLost":
        this.#options.onDeviceLost(message.device, message.reason, message.message);
    }
  }
}

function startFailed(why: string): HostError {
  return new HostError("engine-start-failed", `the engine did not start: ${why}`);
}
