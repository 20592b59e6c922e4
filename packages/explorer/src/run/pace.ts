/**
 * Runs happen in microtasks alone. Now and then the event loop has to turn: so that others are not starved, and because
 * it turns in the middle of a run only if that run waits for something that nobody here controls.
 */
import type { Run, RunResult } from "./run.js";

const turnMs = 20;

export class Pace {
  #run: Run | null = null;
  #turn: Promise<void> | null = null;
  #turnAt = 0;

  async during(run: Run): Promise<RunResult> {
    if (this.#turn === null) this.#arm();
    this.#run = run;
    const result = await run.execute();
    this.#run = null;
    return result;
  }

  /** Between two runs. @returns whether it was time */
  async breathe(): Promise<boolean> {
    if (performance.now() < this.#turnAt) return false;
    await this.#turn;
    return true;
  }

  /** After the last run. */
  async settle(): Promise<void> {
    await this.#turn;
  }

  #arm(): void {
    this.#turnAt = performance.now() + turnMs;
    this.#turn = new Promise((resolve) => {
      setImmediate(() => {
        this.#turn = null;
        this.#run?.reportUncontrolled();
        resolve();
      });
    });
  }
}
