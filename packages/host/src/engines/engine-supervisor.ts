/** Keeps one slice supplied with an engine: starts it when needed, says when it is lost, waits before the next try. */
import {
  Completion,
  invoke,
  type Named,
  noDeadline,
  type Runtime,
  StateMachine,
  Timer,
} from "parhelion-core";
import type { AdapterDescription } from "parhelion-protocol";
import { HostError, messageOf } from "../host-error.js";
import { Task } from "../task.js";
import { type BackOffPolicy, backOffMs } from "./back-off.js";
import { describeExit, type EngineExit } from "./engine-exit.js";
import { type EngineFailureKind, type EngineJudge, lenientJudge } from "./engine-judge.js";
import type { EngineProcess } from "./engine-process.js";
import { type EngineLoss, type EngineState, type EngineStatus, engineTransitions } from "./engine-state.js";

export interface EngineSupervisorOptions {
  readonly runtime: Runtime;
  /** For messages and logs: the slice's UUID. */
  readonly slice: string;
  readonly backOff: BackOffPolicy;
  /** See EngineDeadlines. */
  readonly suspectMs: number;
  /** Makes the child. May reject, which counts as a failed start. */
  readonly launch: () => Promise<EngineProcess>;
  /** A fresh engine says what its adapter is; after a driver was replaced that can be news. */
  readonly onReady: (adapter: AdapterDescription) => void;
  /** An engine that had been ready is gone. Called before the next one can start. */
  readonly onLost: (engine: EngineProcess, loss: EngineLoss) => void;
  /** Default: lenient. */
  readonly judge?: EngineJudge | undefined;
}

/** Who wants a device waits so long for a start, in ms: less than a guest waits for its answer, so that it hears why. */
const longestStartMs = 20_000;

export class EngineSupervisor implements Named {
  readonly name: string;
  readonly #options: EngineSupervisorOptions;
  readonly #machine: StateMachine<EngineState>;
  readonly #judge: EngineJudge;
  /** What everybody who needs an engine meanwhile waits for. */
  #starting: Task<EngineProcess> | undefined;
  #engine: EngineProcess | undefined;
  #starts = 0;
  #failures = 0;
  #lastFailure: string | undefined;
  #readySince = 0;
  #retry: { readonly at: number; readonly timer: Timer; readonly over: Completion } | undefined;
  #retirement: Task | undefined;

  constructor(options: EngineSupervisorOptions) {
    this.#options = options;
    this.#judge = options.judge ?? lenientJudge;
    this.name = `supervision of ${options.slice}`;
    this.#machine = new StateMachine(
      options.runtime,
      `engine of ${options.slice}`,
      engineTransitions,
      "stopped",
    );
  }

  get status(): EngineStatus {
    this.#access("read");
    const now = this.#options.runtime.clock.now();
    return {
      state: this.#machine.state,
      pid: this.#engine?.pid,
      sandbox: this.#engine?.sandbox ?? [],
      starts: this.#starts,
      failures: this.#failures,
      lastFailure: this.#lastFailure,
      retryInMs: this.#retry === undefined ? undefined : Math.max(0, this.#retry.at - now),
    };
  }

  /** The engine that is ready now, if one is. */
  get current(): EngineProcess | undefined {
    this.#access("read");
    return this.#machine.state === "ready" ? this.#engine : undefined;
  }

  /** The engine that has been ready and has not gone, whether it answers or not. */
  get living(): EngineProcess | undefined {
    this.#access("read");
    const { state } = this.#machine;
    return state === "ready" || state === "suspect" ? this.#engine : undefined;
  }

  /**
   * A ready engine, started if need be. Waits out a back-off that ends within `patienceMs`.
   * @throws HostError engine-start-failed, engine-backing-off, engine-stopped, and what the judge throws
   */
  async acquire(patienceMs: number): Promise<EngineProcess> {
    this.#judge.assertAdmits();
    const deadline = this.#options.runtime.clock.now() + longestStartMs;
    for (;;) {
      this.#access("read");
      const { state } = this.#machine;
      switch (state) {
        case "ready": {
          const engine = this.#engine as EngineProcess;
          if (engine.exit === undefined) return engine;
          // Who watches it has yet to hear.
          this.#exited(engine, engine.exit);
          break;
        }
        // Once it has started it is looked at again: it may have ended since.
        case "starting":
          await this.#waitForStart(this.#starting as Task<EngineProcess>, deadline);
          break;
        case "stopped":
          await this.#waitForStart(this.#begin(), deadline);
          break;
        case "backing-off":
          await this.#waitForRetry(patienceMs);
          break;
        case "failed":
          // Left in the same step, by whoever is telling of it.
          await this.#options.runtime.scheduler.yield("engine.failed", this);
          break;
        case "suspect":
          throw new HostError(
            "engine-silent",
            `the engine of slice ${this.#options.slice} missed a deadline and does not answer yet. Try again; it is replaced after ${this.#options.suspectMs} ms.`,
          );
        case "stopping":
        case "retired":
          throw new HostError("engine-stopped", `slice ${this.#options.slice} is going away`);
      }
    }
  }

  /** @throws HostError engine-silent; what the start ended with */
  async #waitForStart(starting: Task<EngineProcess>, deadline: number): Promise<void> {
    const { runtime, slice } = this.#options;
    if (!(await starting.endsWithin(runtime, deadline - runtime.clock.now()))) {
      throw new HostError(
        "engine-silent",
        `the engine of slice ${slice} is still starting after ${longestStartMs} ms. Try again.`,
      );
    }
    await starting.wait(bounded);
  }

  /** Ends the engine for good. Never rejects; bounded by the engine's stop deadline. */
  async retire(cause: string): Promise<void> {
    this.#access("write");
    if (this.#retirement === undefined) {
      const { state } = this.#machine;
      const living = state === "starting" || state === "ready" || state === "suspect";
      // At once: nobody gets an engine any more.
      this.#machine.moveTo(living ? "stopping" : "retired");
      const { runtime, slice } = this.#options;
      this.#retirement = new Task(runtime, `end of the engine of ${slice}`, () => this.#retire(cause));
    }
    await this.#retirement.wait(bounded);
  }

  async #retire(cause: string): Promise<void> {
    this.#access("read");
    if (this.#machine.state === "stopping") {
      await this.#engine?.stop(cause);
      try {
        // A launch that was under way ends its own child when it sees the state.
        await this.#starting?.wait(bounded);
      } catch {
        // Whoever asked for that engine has been told.
      }
      this.#machine.moveTo("retired");
    }
    this.#access("write");
    this.#engine = undefined;
    this.#judge.forget(this.#options.slice);
    this.#endRetry();
  }

  /** Precondition: stopped. */
  #begin(): Task<EngineProcess> {
    const { runtime, slice } = this.#options;
    this.#machine.moveTo("starting");
    this.#access("write");
    this.#starts += 1;
    this.#starting = new Task(runtime, `start of the engine of ${slice}`, () => this.#start());
    return this.#starting;
  }

  async #start(): Promise<EngineProcess> {
    const { runtime, slice, launch } = this.#options;
    let engine: EngineProcess | undefined;
    let adapter: AdapterDescription;
    try {
      engine = await invoke(runtime, "engine.launch", this, launch);
      this.#access("write");
      this.#engine = engine;
      if (this.#machine.state !== "starting")
        throw new HostError("engine-stopped", `slice ${slice} is going away`);
      const started = engine;
      started.onLate = (operation) => this.#suspect(started, operation);
      runtime.scheduler.spawn(`watch on the engine of ${slice}`, async () =>
        this.#exited(started, await started.whenExited()),
      );
      adapter = await engine.whenReady();
      // It may have gone since it said so.
      if (engine.exit !== undefined) throw new HostError("engine-start-failed", describeExit(engine.exit));
    } catch (error) {
      if (engine !== undefined) await engine.stop("it did not become ready");
      if (this.#machine.state === "starting") this.#fail("start", messageOf(error));
      throw error;
    }
    if (this.#machine.state !== "starting")
      throw new HostError("engine-stopped", `slice ${slice} is going away`);
    this.#machine.moveTo("ready");
    this.#access("write");
    this.#readySince = runtime.clock.now();
    this.#judge.engineStarted(slice);
    this.#options.onReady(adapter);
    runtime.log("info", "engine.ready", { slice, engine: engine.pid, start: this.#starts });
    return engine;
  }

  #exited(engine: EngineProcess, exit: EngineExit): void {
    // While it starts, `#start` reports; while it stops, nobody has to be told.
    if (!this.#serves(engine)) return;
    const reason = describeExit(exit);
    const { runtime, backOff } = this.#options;
    if (runtime.clock.now() - this.#readySince >= backOff.healthyAfterMs) this.#failures = 0;
    this.#fail("death", reason, () => this.#options.onLost(engine, { exit, reason }));
  }

  /** Whether this is the engine in use. */
  #serves(engine: EngineProcess): boolean {
    this.#access("read");
    const { state } = this.#machine;
    return this.#engine === engine && (state === "ready" || state === "suspect");
  }

  #suspect(engine: EngineProcess, operation: string): void {
    this.#access("read");
    if (this.#engine !== engine || this.#machine.state !== "ready") return;
    const { runtime, slice, suspectMs } = this.#options;
    this.#machine.moveTo("suspect");
    runtime.log("warn", "engine.suspect", { slice, engine: engine.pid, operation, suspectMs });
    runtime.scheduler.spawn(`last question to the engine of ${slice}`, async () => {
      try {
        await engine.statistics(suspectMs);
        this.#access("read");
        if (this.#engine === engine && this.#machine.state === "suspect") this.#machine.moveTo("ready");
      } catch {
        engine.kill(`it did not answer for ${suspectMs} ms`);
      }
    });
  }

  #fail(kind: EngineFailureKind, reason: string, tell: () => void = () => undefined): void {
    const { runtime, slice, backOff } = this.#options;
    this.#machine.moveTo("failed");
    this.#access("write");
    this.#engine = undefined;
    this.#failures += 1;
    this.#lastFailure = reason;
    const delayMs = backOffMs(backOff, this.#failures);
    runtime.log("warn", "engine.failed", { slice, reason, failures: this.#failures, retryInMs: delayMs });
    this.#judge.engineFailed(slice, kind, reason);
    try {
      tell();
    } finally {
      // Who was told may have had it retired.
      if (this.#machine.state === "failed") this.#backOff(delayMs);
    }
  }

  #backOff(delayMs: number): void {
    const { runtime, slice } = this.#options;
    this.#machine.moveTo("backing-off");
    const over = new Completion(runtime, `back-off of ${slice}`);
    const timer = new Timer(runtime, `back-off of ${slice}`, () => {
      if (this.#machine.state === "backing-off") this.#machine.moveTo("stopped");
      this.#endRetry();
    });
    timer.start(delayMs);
    this.#retry = { at: runtime.clock.now() + delayMs, timer, over };
  }

  async #waitForRetry(patienceMs: number): Promise<void> {
    this.#access("read");
    const retry = this.#retry;
    if (retry === undefined) return;
    const leftMs = Math.ceil(retry.at - this.#options.runtime.clock.now());
    if (leftMs > patienceMs) {
      throw new HostError(
        "engine-backing-off",
        `the engine of slice ${this.#options.slice} failed ${this.#failures} times in a row (${this.#lastFailure}). It is started again in ${leftMs} ms: try then.`,
        { details: { slice: this.#options.slice, retryInMs: leftMs } },
      );
    }
    // Its own timer ends it.
    await retry.over.wait(bounded);
  }

  #endRetry(): void {
    this.#access("write");
    this.#retry?.timer.cancel();
    this.#retry?.over.completeAll();
    this.#retry = undefined;
  }

  #access(mode: "read" | "write"): void {
    this.#options.runtime.scheduler.access(this, mode);
  }
}

/** Waits for what has deadlines of its own: an engine's start, its stop, a back-off. */
const bounded = { deadline: noDeadline };
