/**
 * Notices that the other end of a connection is gone where nobody says so: a machine that vanished, a cable, a sleep. A silent
 * connection is asked now and then. When time has jumped (the machine was suspended, or this process stopped), the other
 * end has perhaps given up meanwhile: it is asked at once, and gets little time to answer.
 */
import { type Runtime, Timer } from "parhelion-core";
import type { BootClock } from "./boot-clock.js";

export interface HeartbeatTimes {
  /** How often it is looked, in ms. */
  readonly lookMs: number;
  /** After this long without a word the other end is asked, in ms. */
  readonly silentMs: number;
  /** It may take so long to answer, in ms. */
  readonly answerMs: number;
  /** A difference between what was expected to pass and what passed that is no accident, in ms. */
  readonly jumpMs: number;
  /** After a jump it may take so long to answer, in ms. */
  readonly afterJumpMs: number;
}

export const defaultHeartbeatTimes: HeartbeatTimes = {
  lookMs: 1000,
  silentMs: 10_000,
  answerMs: 30_000,
  jumpMs: 3000,
  afterJumpMs: 3000,
};

/** A connection, as either end of it has one. */
export interface Beating {
  readonly state: "open" | "closed";
  /** When something came last, in ms on the runtime's clock. */
  readonly lastHeard: number;
  /** Asks the other end. @throws KernelError ETIMEDOUT, EOPNOTSUPP it has no heartbeat, ENODEV closed meanwhile */
  check(timeoutMs: number): Promise<void>;
  /** Ends the connection without a word. */
  cut(reason: Error): void;
}

export class Heartbeat {
  readonly #runtime: Runtime;
  readonly #bootClock: BootClock;
  readonly #connection: Beating;
  readonly #times: HeartbeatTimes;
  readonly #timer: Timer;
  #looked = 0;
  #lookedSinceBoot = 0;
  #state: "idle" | "looking" | "stopped" = "idle";

  /** Precondition: both ends have the feature. Ends with the connection. */
  constructor(
    runtime: Runtime,
    bootClock: BootClock,
    connection: Beating,
    times: Partial<HeartbeatTimes> = {},
  ) {
    this.#runtime = runtime;
    this.#bootClock = bootClock;
    this.#connection = connection;
    this.#times = { ...defaultHeartbeatTimes, ...times };
    this.#timer = new Timer(runtime, "heartbeat", () => this.#look());
  }

  start(): void {
    this.#state = "looking";
    this.#lookAgain();
  }

  stop(): void {
    this.#state = "stopped";
    this.#timer.cancel();
  }

  #lookAgain(): void {
    if (this.#stopped) return;
    this.#looked = this.#runtime.clock.now();
    this.#lookedSinceBoot = this.#bootClock.now();
    this.#timer.start(this.#times.lookMs);
  }

  async #look(): Promise<void> {
    if (this.#stopped) return;
    const { silentMs, answerMs, afterJumpMs } = this.#times;
    const now = this.#runtime.clock.now();
    if (this.#jumped(now)) await this.#ask(afterJumpMs, "time has jumped");
    else if (now - this.#connection.lastHeard >= silentMs) await this.#ask(answerMs, "it was silent");
    this.#lookAgain();
  }

  /** Suspended: the time since boot ran ahead. Stopped, or starved: the look is late. */
  #jumped(now: number): boolean {
    const { jumpMs, lookMs } = this.#times;
    const passed = now - this.#looked;
    const slept = this.#bootClock.now() - this.#lookedSinceBoot - passed;
    return slept > jumpMs || passed - lookMs > jumpMs;
  }

  async #ask(timeoutMs: number, why: string): Promise<void> {
    try {
      await this.#connection.check(timeoutMs);
    } catch (error) {
      if (this.#stopped) return;
      const text = `no answer to a heartbeat within ${timeoutMs} ms; asked because ${why}`;
      this.#connection.cut(new Error(text, { cause: error }));
    }
  }

  /** Asked anew after each wait. */
  get #stopped(): boolean {
    return this.#state === "stopped" || this.#connection.state === "closed";
  }
}
