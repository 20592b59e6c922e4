/** A queue on a GPU that finishes what it is told to finish, and time that passes when it is told to. */
import { type Clock, type ClockTimer, type FromEngine, ObjectTable } from "parhelion-protocol";
import { EngineTime, type EngineTimeOptions } from "./engine-time.js";
import type { QueueTime, TimedQueue } from "./queue-time.js";

export class StoppedClock implements Clock {
  #now = 0;
  readonly #timers = new Set<{ readonly at: number; readonly fire: () => void }>();

  now(): number {
    return this.#now;
  }

  setTimer(ms: number, fire: () => void): ClockTimer {
    const timer = { at: this.#now + ms, fire };
    this.#timers.add(timer);
    return { cancel: () => this.#timers.delete(timer) };
  }

  async pass(ms: number): Promise<void> {
    const until = this.#now + ms;
    for (;;) {
      await new Promise<void>((resolve) => setImmediate(resolve));
      const [next] = [...this.#timers].filter(({ at }) => at <= until).sort((a, b) => a.at - b.at);
      if (next === undefined) break;
      this.#timers.delete(next);
      this.#now = next.at;
      next.fire();
    }
    this.#now = until;
  }
}

export class FakeQueue implements TimedQueue {
  readonly device: number;
  readonly objects = new ObjectTable();
  readonly told: string[] = [];
  submitted = 0;
  finished = 0;
  questions = 0;
  readonly #waiting: { readonly count: number; readonly resolve: () => void }[] = [];

  constructor(device: number) {
    this.device = device;
  }

  workDone(): Promise<void> {
    this.questions += 1;
    const count = this.submitted;
    return new Promise((resolve) => this.#waiting.push({ count, resolve }));
  }

  submit(time: QueueTime, count = 1): void {
    for (let i = 0; i < count; i++) {
      time.beforeSubmit([]);
      this.submitted += 1;
      time.submitted([]);
    }
  }

  /** The GPU has done everything that was submitted. */
  async finish(): Promise<void> {
    this.finished = this.submitted;
    for (const each of this.#waiting.splice(0)) each.resolve();
    await new Promise<void>((resolve) => setImmediate(resolve));
  }

  reached(): void {}

  resume(): void {
    this.told.push("resume");
  }

  idle(): void {
    this.told.push("idle");
  }

  condemned(message: string): void {
    this.told.push(message);
  }
}

export interface TimeRig {
  readonly clock: StoppedClock;
  readonly said: FromEngine[];
  readonly time: EngineTime;
  open(device?: number): { readonly queue: FakeQueue; readonly turns: QueueTime };
}

export function timeRig(options: Partial<EngineTimeOptions> = {}): TimeRig {
  const clock = new StoppedClock();
  const said: FromEngine[] = [];
  const time = new EngineTime({
    clock,
    sharing: "leased",
    leased: "everything",
    slice: "a slice",
    submissionMs: 1000,
    send: (message) => said.push(message),
    log: () => undefined,
    ...options,
  });
  return {
    clock,
    said,
    time,
    open: (device = 1) => {
      const queue = new FakeQueue(device);
      return { queue, turns: time.open(queue) };
    },
  };
}
