/** Devices that are opened and closed one at a time, since they share something: a reset, a bus. */
import { Mutex, type Named, type Runtime } from "parhelion-core";

export class DevSet implements Named {
  readonly name: string;
  readonly mutex: Mutex;
  readonly #runtime: Runtime;
  #members = 0;

  constructor(runtime: Runtime, name: string) {
    this.#runtime = runtime;
    this.name = name;
    this.mutex = new Mutex(runtime, `opens of ${name}`);
  }

  join(): void {
    this.#runtime.scheduler.access(this, "write");
    this.#members += 1;
  }

  /** @returns whether nobody is left */
  leave(): boolean {
    this.#runtime.scheduler.access(this, "write");
    this.#members -= 1;
    return this.#members === 0;
  }
}
