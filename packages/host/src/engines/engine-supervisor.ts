/** Keeps one slice supplied with an engine: starts it when needed, says when it is lost, waits before the next try. */
import { type ClockTimer, Completion, type Runtime, StateMachine } from "parhelion-core";
import type { AdapterDescription } from "parhelion-protocol";
import { HostError, messageOf } from "../host-error.js";
import { type BackOffPolicy, backOffMs } from "./back-off.js";
import { describeExit, type EngineExit } from "./engine-exit.js";
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
}

export class EngineSupervisor {
  readonly #options: EngineSupervisorOptions;
  readonly #machine: StateMachine<EngineState>;
  /** What everybody who needs an engine meanwhile waits for. */
  #starting: Promise<EngineProcess> | undefined;
  #engine: EngineProcess | undefined;
  #starts = 0;
  #failures = 0;
  #lastFailure: string | undefined;
  #readySince = 0;
  #retry: { readonly at: number; readonly timer: ClockTimer; readonly over: Completion } | undefined;
  #retirement: Promise<void> | undefined;

  constructor(options: EngineSupervisorOptions) {
    this.#options = options;
    this.#machine = new StateMachine(
      options.runtime,
      `engine of ${options.slice}`,
      engineTransitions,
      "stopped",
    );
  }

  get status(): EngineStatus {
    const now = this.#options.runtime.clock.now();
    return {
      state: this.#machine.state,
      pid: this.#engine?.pid,
      starts: this.#starts,
      failures: this.#failures,
      lastFailure: this.#lastFailure,
      retryInMs: this.#retry === undefined ? undefined : Math.max(0, this.#retry.at - now),
    };
  }

  /** The engine that is ready now, if one is. */
  get current(): EngineProcess | undefined {
    return this.#machine.state === "ready" ? this.#engine : undefined;
  }

  /**
   * A ready engine, started if need be. Waits out a back-off that ends within `patienceMs`.
   * @throws HostError engine-start-failed, engine-backing-off, engine-stopped
   */
  async acquire(patienceMs: number): Promise<EngineProcess> {
    for (;;) {
      const { state } = this.#machine;
      switch (state) {
        case "ready":
          return this.#engine as EngineProcess;
        case "starting":
          return this.#starting as Promise<EngineProcess>;
        case "stopped":
          this.#starting = this.#start();
          return this.#starting;
        case "backing-off":
          await this.#waitForRetry(patienceMs);
          break;
        case "failed":
          // Left within the same turn of the event loop.
          await Promise.resolve();
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

  /** Ends the engine for good. Never rejects; bounded by the engine's stop deadline. */
  retire(cause: string): Promise<void> {
    this.#retirement ??= this.#retire(cause);
    return this.#retirement;
  }

  async #retire(cause: string): Promise<void> {
    const { state } = this.#machine;
    if (state === "starting" || state === "ready" || state === "suspect") {
      this.#machine.moveTo("stopping");
      await this.#engine?.stop(cause);
      // A launch that was under way ends its own child when it sees the state.
      await this.#starting?.catch(() => undefined);
    }
    this.#machine.moveTo("retired");
    this.#engine = undefined;
    this.#endRetry();
  }

  async #start(): Promise<EngineProcess> {
    const { runtime, slice, launch } = this.#options;
    this.#machine.moveTo("starting");
    this.#starts += 1;
    let engine: EngineProcess | undefined;
    let adapter: AdapterDescription;
    try {
      engine = await launch();
      this.#engine = engine;
      if (this.#machine.state !== "starting")
        throw new HostError("engine-stopped", `slice ${slice} is going away`);
      const started = engine;
      started.onLate = (operation) => this.#suspect(started, operation);
      void started.exited.then((exit) => this.#exited(started, exit));
      adapter = await engine.ready;
    } catch (error) {
      if (engine !== undefined) await engine.stop("it did not become ready");
      if (this.#machine.state === "starting") this.#fail(messageOf(error));
      throw error;
    }
    if (this.#machine.state !== "starting")
      throw new HostError("engine-stopped", `slice ${slice} is going away`);
    this.#machine.moveTo("ready");
    this.#readySince = runtime.clock.now();
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
    this.#fail(reason, () => this.#options.onLost(engine, { exit, reason }));
  }

  /** Whether this is the engine in use. */
  #serves(engine: EngineProcess): boolean {
    const { state } = this.#machine;
    return this.#engine === engine && (state === "ready" || state === "suspect");
  }

  #suspect(engine: EngineProcess, operation: string): void {
    if (this.#engine !== engine || this.#machine.state !== "ready") return;
    const { runtime, slice, suspectMs } = this.#options;
    this.#machine.moveTo("suspect");
    runtime.log("warn", "engine.suspect", { slice, engine: engine.pid, operation, suspectMs });
    engine.statistics(suspectMs).then(
      () => {
        if (this.#engine === engine && this.#machine.state === "suspect") this.#machine.moveTo("ready");
      },
      () => engine.kill(`it did not answer for ${suspectMs} ms`),
    );
  }

  #fail(reason: string, tell: () => void = () => undefined): void {
    const { runtime, slice, backOff } = this.#options;
    this.#machine.moveTo("failed");
    this.#engine = undefined;
    this.#failures += 1;
    this.#lastFailure = reason;
    const delayMs = backOffMs(backOff, this.#failures);
    runtime.log("warn", "engine.failed", { slice, reason, failures: this.#failures, retryInMs: delayMs });
    try {
      tell();
    } finally {
      this.#machine.moveTo("backing-off");
      const over = new Completion(runtime, `back-off of ${slice}`);
      const timer = runtime.clock.setTimer(delayMs, () => {
        if (this.#machine.state === "backing-off") this.#machine.moveTo("stopped");
        this.#endRetry();
      });
      this.#retry = { at: runtime.clock.now() + delayMs, timer, over };
    }
  }

  async #waitForRetry(patienceMs: number): Promise<void> {
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
    await retry.over.wait({ deadline: retry.at + patienceMs });
  }

  #endRetry(): void {
    this.#retry?.timer.cancel();
    this.#retry?.over.completeAll();
    this.#retry = undefined;
  }
}
