/** What may run only while something is open, and is waited for when it closes. */
import { KernelError, type Named, noDeadline, type Runtime, WaitQueue } from "parhelion-core";

export class Gate implements Named {
  readonly name: string;
  readonly #runtime: Runtime;
  readonly #idle: WaitQueue;
  #state: "open" | "shut" = "shut";
  #inside = 0;

  constructor(runtime: Runtime, name: string) {
    this.#runtime = runtime;
    this.name = name;
    this.#idle = new WaitQueue(runtime, `end of ${name}`);
  }

  open(): void {
    this.#runtime.scheduler.access(this, "write");
    this.#state = "open";
  }

  /** Nobody gets in any more; who is in is not waited for. */
  shut(): void {
    this.#runtime.scheduler.access(this, "write");
    this.#state = "shut";
  }

  /** Waits until nobody is in. Precondition: it is shut, and what is in waits for no user. */
  async drain(): Promise<void> {
    if (this.#inside > 0) await this.#idle.wait(() => this.#inside === 0, { deadline: noDeadline });
  }

  /** @throws KernelError ENODEV it is shut, and what `use` throws */
  async during<T>(use: () => T | Promise<T>): Promise<T> {
    this.#runtime.scheduler.access(this, "write");
    if (this.#state === "shut") throw new KernelError("ENODEV", `${this.name}: its device is not open`);
    this.#inside += 1;
    try {
      return await use();
    } finally {
      this.#runtime.scheduler.access(this, "write");
      this.#inside -= 1;
      if (this.#inside === 0) this.#idle.wake();
    }
  }
}
