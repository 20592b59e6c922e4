/** Addresses that are given out in runs of frames and taken back. Runs are powers of two, so what is freed fits again. */

export const frameBytes = 4096;

export class FrameSpace {
  readonly #limit: number;
  /** By the number of frames: first frames of runs that were given back. */
  readonly #freed = new Map<number, number[]>();
  #next: number;

  /** @param first frame, @param limit the frame behind the last */
  constructor(first: number, limit: number) {
    this.#next = first;
    this.#limit = limit;
  }

  /** @returns the first frame; null when there is no run that long */
  take(frames: number): number | null {
    const run = runOf(frames);
    const freed = this.#freed.get(run)?.pop();
    if (freed !== undefined) return freed;
    if (this.#next + run > this.#limit) return null;
    const first = this.#next;
    this.#next += run;
    return first;
  }

  /** @param frames as they were taken */
  give(first: number, frames: number): void {
    const run = runOf(frames);
    const freed = this.#freed.get(run) ?? [];
    freed.push(first);
    this.#freed.set(run, freed);
  }
}

function runOf(frames: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(1, frames)));
}
