/** Per depth of a run, the tasks that could have gone next there: a stack of small lists in one array. */
export class Choices {
  readonly #tasks: number[] = [];
  readonly #starts: number[] = [];

  push(runnable: readonly number[]): void {
    this.#starts.push(this.#tasks.length);
    for (let i = 0; i < runnable.length; i++) this.#tasks.push(runnable[i]!);
  }

  start(depth: number): number {
    return this.#starts[depth]!;
  }

  end(depth: number): number {
    return depth + 1 < this.#starts.length ? this.#starts[depth + 1]! : this.#tasks.length;
  }

  task(at: number): number {
    return this.#tasks[at]!;
  }

  /** Forgets what is deeper than `depth`. */
  cutTo(depth: number): void {
    if (depth + 1 >= this.#starts.length) return;
    this.#tasks.length = this.#starts[depth + 1]!;
    this.#starts.length = depth + 1;
  }
}
