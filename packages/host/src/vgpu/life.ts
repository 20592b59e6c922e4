/** Something that ends once, with a reason, and tells those who count on it in the same step. */
import type { Named, Runtime } from "parhelion-core";

export class Life implements Named {
  readonly name: string;
  readonly #runtime: Runtime;
  readonly #mourners = new Set<(reason: Error) => void>();
  #end: Error | null = null;

  constructor(runtime: Runtime, name: string) {
    this.#runtime = runtime;
    this.name = name;
  }

  /** Without effect when it has ended. */
  end(reason: Error): void {
    this.#runtime.scheduler.access(this, "write");
    if (this.#end !== null) return;
    this.#end = reason;
    for (const told of this.#mourners) told(reason);
    this.#mourners.clear();
  }

  /** Calls `told` once, now when it has ended already. @returns takes that back */
  onEnd(told: (reason: Error) => void): () => void {
    this.#runtime.scheduler.access(this, "write");
    if (this.#end !== null) told(this.#end);
    else this.#mourners.add(told);
    return () => {
      this.#runtime.scheduler.access(this, "write");
      this.#mourners.delete(told);
    };
  }
}
