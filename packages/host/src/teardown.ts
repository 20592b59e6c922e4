/** What has been set up, taken down in reverse. One list serves a start that fails half-way and an orderly stop. */
import { invoke, type Runtime } from "parhelion-core";

export class Teardown {
  readonly name = "teardown";
  readonly #runtime: Runtime;
  readonly #steps: { readonly what: string; readonly undo: () => void | Promise<void> }[] = [];

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  add(what: string, undo: () => void | Promise<void>): void {
    this.#steps.push({ what, undo });
  }

  /** Taken after all the others. */
  addLast(what: string, undo: () => void | Promise<void>): void {
    this.#steps.unshift({ what, undo });
  }

  /** Never rejects: a step that fails is logged, and the others are still taken. */
  async run(): Promise<void> {
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
      try {
        const { undo } = step;
        await invoke(this.#runtime, step.what, this, undo);
      } catch (error) {
        this.#runtime.log("error", "stop.failed", { step: step.what, error });
      }
    }
  }
}
