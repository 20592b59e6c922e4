/** One running show or store, from the inside: what `AttributeContext` promises. */
import type { AttributeContext } from "./attribute.js";
import type { KernelError } from "./error.js";
import { deadlineOf, type Runtime, type WaitOptions } from "./runtime.js";
import { Completion } from "./sync/completion.js";
import type { Guard, Mutex } from "./sync/mutex.js";

/** What an operation runs on: see `AttributeNode`. */
export interface Removable {
  readonly name: string;
  readonly runtime: Runtime;
  readonly removing: boolean;
  beginRemoval(): boolean;
  drain(options?: WaitOptions): Promise<void>;
  leave(): void;
  untilRemoving(options?: WaitOptions): Promise<void>;
  interruptible(waiting: Completion, options: WaitOptions): Promise<void>;
  gone(): KernelError;
}

export class AttributeOperation implements AttributeContext {
  readonly #node: Removable;
  /** Whether a removal waits for this operation. */
  #protection: "active" | "left" = "active";

  constructor(node: Removable) {
    this.#node = node;
  }

  get removing(): boolean {
    return this.#node.removing;
  }

  untilRemoving(options?: WaitOptions): Promise<void> {
    return this.#node.untilRemoving(options);
  }

  leave(): void {
    if (this.#protection === "left") return;
    this.#protection = "left";
    this.#node.leave();
  }

  async removeSelf(options?: WaitOptions): Promise<boolean> {
    this.leave();
    const won = this.#node.beginRemoval();
    await this.#node.drain(options);
    return won;
  }

  /**
   * The lock itself can't be called off, so a task waits in the queue in this one's place and says when the turn has
   * come. If the removal comes first, that turn passes unused.
   */
  async lockUnlessRemoved(mutex: Mutex, options?: WaitOptions): Promise<Guard> {
    if (this.#protection === "left") return mutex.lock(options);
    const { runtime } = this.#node;
    const deadline = deadlineOf(runtime, options);
    await runtime.scheduler.yield("attribute.lock", mutex);
    for (;;) {
      if (this.#node.removing) throw this.#node.gone();
      const guard = mutex.tryLock();
      if (guard !== null) return guard;
      const turn = new Completion(runtime, `turn at ${mutex.name} for ${this.#node.name}`);
      runtime.scheduler.spawn(turn.name, async () => {
        try {
          await mutex.withLock(() => turn.completeAll(), { deadline });
        } catch (error) {
          turn.fail(error);
        }
      });
      await this.#node.interruptible(turn, { deadline });
    }
  }
}
