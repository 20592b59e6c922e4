/**
 * One attribute in place: who runs on it, and its removal, which lets nobody in and waits for those who are inside
 * (after fs/kernfs/dir.c, active references). An operation that removes its own attribute leaves first.
 */
import type { Attribute, AttributeContext, AttributeGroup } from "./attribute.js";
import { KernelError } from "./error.js";
import { deadlineOf, type Runtime, type WaitOptions } from "./runtime.js";
import { call, invoke } from "./sync/call.js";
import { Completion } from "./sync/completion.js";
import type { Guard, Mutex } from "./sync/mutex.js";
import type { Named } from "./sync/scheduler.js";
import { WaitQueue } from "./sync/wait-queue.js";

export class AttributeNode implements Named {
  readonly name: string;
  readonly path: string;
  readonly attribute: Attribute;
  readonly group: AttributeGroup;
  readonly mode: number;
  readonly runtime: Runtime;
  readonly #moved: (node: AttributeNode, to: "removing" | "drained") => void;
  readonly #changed: WaitQueue;
  /** What to end when the removal begins. */
  readonly #interruptible = new Set<Completion>();
  #state: "live" | "removing" = "live";
  #active = 0;

  /** @param moved called in the step in which the removal begins, and in that in which nothing runs on it any more */
  constructor(
    runtime: Runtime,
    owner: string,
    place: { path: string; attribute: Attribute; group: AttributeGroup; mode: number },
    moved: (node: AttributeNode, to: "removing" | "drained") => void,
  ) {
    this.runtime = runtime;
    this.name = `${owner}/${place.path}`;
    this.path = place.path;
    this.attribute = place.attribute;
    this.group = place.group;
    this.mode = place.mode;
    this.#moved = moved;
    this.#changed = new WaitQueue(runtime, `changes of ${this.name}`);
  }

  get removing(): boolean {
    this.runtime.scheduler.access(this, "read");
    return this.#state === "removing";
  }

  /** Runs one operation on the attribute as a task of its own, so that a deadline can answer before it does. */
  async run<T>(
    op: "show" | "store",
    operation: (context: AttributeContext) => T | Promise<T>,
    options: WaitOptions | undefined,
  ): Promise<T> {
    this.runtime.scheduler.access(this, "write");
    if (this.#state !== "live") throw this.gone();
    this.#active += 1;
    const running = new Running(this);
    return call(
      this.runtime,
      `${op} ${this.name}`,
      async () => {
        try {
          return await invoke(this.runtime, `attribute.${op}`, this, () => operation(running));
        } finally {
          running.leave();
        }
      },
      options,
    );
  }

  /** Refuses new operations. True for the one call that begins the removal. */
  beginRemoval(): boolean {
    this.runtime.scheduler.access(this, "write");
    if (this.#state === "removing") return false;
    this.#state = "removing";
    this.#moved(this, "removing");
    if (this.#active === 0) this.#moved(this, "drained");
    for (const waiting of this.#interruptible) waiting.completeAll();
    this.#changed.wake();
    return true;
  }

  /** Waits until nothing runs on it. Precondition: the removal has begun. @throws KernelError ETIMEDOUT */
  async drain(options?: WaitOptions): Promise<void> {
    await this.#changed.wait(() => this.#active === 0, options);
  }

  leave(): void {
    this.runtime.scheduler.access(this, "write");
    this.#active -= 1;
    if (this.#active > 0) return;
    if (this.#state === "removing") this.#moved(this, "drained");
    this.#changed.wake();
  }

  async untilRemoving(options?: WaitOptions): Promise<void> {
    await this.#changed.wait(() => this.#state === "removing", options);
  }

  /** Whoever waits on `waiting` also goes on when the removal begins. */
  async interruptible(waiting: Completion, options: WaitOptions): Promise<void> {
    this.runtime.scheduler.access(this, "write");
    if (this.#state === "removing") return;
    this.#interruptible.add(waiting);
    try {
      await waiting.wait(options);
    } finally {
      this.runtime.scheduler.access(this, "write");
      this.#interruptible.delete(waiting);
    }
  }

  gone(): KernelError {
    return new KernelError("ENODEV", `${this.name}: it is being removed`);
  }
}

class Running implements AttributeContext {
  readonly #node: AttributeNode;
  /** Whether a removal waits for this operation. */
  #protection: "active" | "left" = "active";

  constructor(node: AttributeNode) {
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
