/**
 * A scheduler for tests that runs one step at a time and asks which: the tests' proof that `Scheduler` gives full
 * control, and how they try many interleavings. Time is virtual: it moves when nothing can run, so that a missed
 * deadline means a deadlock, or, where a test asks for it, at any step, so that every deadline can be missed.
 */
import * as fc from "fast-check";
import type { Clock } from "../clock.js";
import type { LogRecord } from "../log.js";
import { createRuntime, type Runtime } from "../runtime.js";
import type { Blocked, Named, Scheduler, Wakeup } from "./scheduler.js";

interface Step {
  readonly what: string;
  readonly go: () => void;
}

export class ControlledScheduler implements Scheduler, Clock {
  readonly #runnable: Step[] = [];
  readonly #timers = new Set<{ readonly due: number; readonly fire: () => void }>();
  readonly blocked = new Set<string>();
  readonly schedule: string[] = [];
  readonly failures: unknown[] = [];
  #now = 0;

  now(): number {
    return this.#now;
  }

  setTimer(ms: number, fire: () => void): { cancel(): void } {
    const timer = { due: this.#now + Math.max(0, ms), fire };
    this.#timers.add(timer);
    return { cancel: () => this.#timers.delete(timer) };
  }

  block(op: string, on: Named, deadline: number): Blocked {
    const what = `${op} ${on.name}`;
    let state: "blocked" | Wakeup = "blocked";
    let resume: (wakeup: Wakeup) => void = () => {};
    const wakeup = new Promise<Wakeup>((resolve) => {
      resume = resolve;
    });
    const end = (how: Wakeup): boolean => {
      if (state !== "blocked") return false;
      state = how;
      this.blocked.delete(what);
      timer?.cancel();
      this.#runnable.push({ what, go: () => resume(how) });
      return true;
    };
    const timer =
      deadline === Number.POSITIVE_INFINITY
        ? null
        : this.setTimer(deadline - this.#now, () => end("timeout"));
    this.blocked.add(what);
    return { wakeup, wake: () => end("woken") };
  }

  yield(op: string, on: Named): Promise<void> {
    return new Promise((resolve) => {
      this.#runnable.push({ what: `${op} ${on.name}`, go: resolve });
    });
  }

  spawn(name: string, run: () => Promise<void>): void {
    const go = () => {
      run().catch((error: unknown) => this.failures.push(error));
    };
    this.#runnable.push({ what: `start ${name}`, go });
  }

  access(): void {}

  note(): void {}

  /** Runs until nothing can run and no deadline is left. @param choose an index below its argument */
  async run(choose: (choices: number) => number, time: "when idle" | "any time"): Promise<void> {
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve));
      const [next] = [...this.#timers].sort((a, b) => a.due - b.due);
      const choices = this.#runnable.length + (next !== undefined && time === "any time" ? 1 : 0);
      const step = choices === 0 ? undefined : this.#runnable.splice(choose(choices), 1)[0];
      if (step !== undefined) {
        this.schedule.push(step.what);
        step.go();
        continue;
      }
      if (next === undefined) break;
      this.#timers.delete(next);
      this.#now = Math.max(this.#now, next.due);
      next.fire();
    }
    if (this.failures.length > 0) throw this.failures[0];
  }
}

export interface Controlled {
  readonly runtime: Runtime;
  readonly scheduler: ControlledScheduler;
  readonly log: LogRecord[];
  /** Starts a task of the program under test. */
  task(name: string, run: () => Promise<void>): void;
}

/** Runs `program`'s tasks under the interleaving that `choices` picks, to the end. */
export async function interleave(
  choices: readonly number[],
  program: (controlled: Controlled) => void,
  time: "when idle" | "any time" = "when idle",
): Promise<Controlled> {
  const scheduler = new ControlledScheduler();
  const log: LogRecord[] = [];
  const runtime = createRuntime({
    scheduler,
    clock: scheduler,
    log: (record) => log.push(record),
    patienceMs: 1000,
  });
  const controlled: Controlled = { runtime, scheduler, log, task: (name, run) => scheduler.spawn(name, run) };
  program(controlled);
  let step = 0;
  await scheduler.run((count) => (choices[step++ % Math.max(1, choices.length)] ?? 0) % count, time);
  return controlled;
}

/** An interleaving: which of the runnable tasks goes next, over and over. */
export const interleavings = fc.array(fc.nat(11), { minLength: 1, maxLength: 60 });

export const times = fc.constantFrom("when idle" as const, "any time" as const);
