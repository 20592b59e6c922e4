/**
 * Which number a vGPU's node gets: the lowest free one. But a vGPU that goes with the connection and comes back with the next one
 * has the same name again, so that what was written down about `dxg0` stays true over a restart of the host.
 */
import type { Named, Runtime } from "parhelion-core";

export class NodeNumbers implements Named {
  readonly name = "numbers of nodes";
  readonly #runtime: Runtime;
  readonly #count: number;
  /** Of vGPUs that were there when the connection was lost and have not come back, by instance. */
  readonly #held = new Map<string, number>();

  /** @param count how many numbers there are, from 0 */
  constructor(runtime: Runtime, count: number) {
    this.#runtime = runtime;
    this.#count = count;
  }

  /** The numbers in the order in which to try them: its own, those that nobody may come back for, the rest. */
  candidates(instance: string): readonly number[] {
    this.#access("read");
    const own = this.#held.get(instance);
    const kept = new Set(this.#held.values());
    const others = Array.from({ length: this.#count }, (_, number) => number).filter(
      (number) => number !== own,
    );
    const free = others.filter((number) => !kept.has(number));
    const wanted = others.filter((number) => kept.has(number));
    return own === undefined ? [...free, ...wanted] : [own, ...free, ...wanted];
  }

  /** Its node is there. */
  took(instance: string): void {
    this.#access("write");
    this.#held.delete(instance);
  }

  /** The connection is lost: this one may come back. */
  hold(instance: string, number: number): void {
    this.#access("write");
    // Whoever had it before has not come back.
    for (const [other, kept] of this.#held) if (kept === number) this.#held.delete(other);
    this.#held.set(instance, number);
  }

  #access(mode: "read" | "write"): void {
    this.#runtime.scheduler.access(this, mode);
  }
}
