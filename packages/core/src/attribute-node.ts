/**
 * One attribute in place: who runs on it, and its removal, which lets nobody in and waits for those who are inside
 * (after fs/kernfs/dir.c, active references). An operation that removes its own attribute leaves first.
 */
import {
  type Attribute,
  type AttributeContext,
  type AttributeGroup,
  attributeLimit,
  byteLength,
} from "./attribute.js";
import { AttributeOperation, type Removable } from "./attribute-operation.js";
import type { ErrnoCode } from "./errno.js";
import { KernelError } from "./error.js";
import type { Runtime, WaitOptions } from "./runtime.js";
import { call, invoke } from "./sync/call.js";
import type { Completion } from "./sync/completion.js";
import type { Named } from "./sync/scheduler.js";
import { WaitQueue } from "./sync/wait-queue.js";

export class AttributeNode implements Named, Removable {
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

  /** See `AttributeSet.read`. */
  async show(subject: unknown, options: WaitOptions | undefined): Promise<string> {
    const { attribute, mode } = this;
    const { show } = attribute;
    if ((mode & 0o444) === 0) throw this.#refused("EACCES", "its mode has no read");
    if (show === undefined) throw this.#refused("EIO", "it can't be read");
    const text = await this.#run("show", (context) => show.call(attribute, subject, context), options);
    const bytes = byteLength(text);
    if (bytes <= attributeLimit) return text;
    this.runtime.log("error", "attribute.show-too-long", { attribute: this.name, bytes });
    throw this.#refused("EIO", `it shows ${bytes} bytes, the limit is ${attributeLimit}; split it`);
  }

  /** See `AttributeSet.write`. */
  async store(subject: unknown, text: string, options: WaitOptions | undefined): Promise<number> {
    const { attribute, mode } = this;
    const { store } = attribute;
    if ((mode & 0o222) === 0) throw this.#refused("EACCES", "its mode has no write");
    if (store === undefined) throw this.#refused("EIO", "it can't be written");
    const bytes = byteLength(text);
    if (bytes >= attributeLimit) {
      throw this.#refused("EINVAL", `${bytes} bytes written, the limit is ${attributeLimit - 1}; write less`);
    }
    const used = await this.#run(
      "store",
      (context) => store.call(attribute, subject, text, context),
      options,
    );
    return used ?? bytes;
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
    return this.#refused("ENODEV", "it is being removed");
  }

  /** Runs one operation on the attribute as a task of its own, so that a deadline can answer before it does. */
  async #run<T>(
    op: "show" | "store",
    operation: (context: AttributeContext) => T | Promise<T>,
    options: WaitOptions | undefined,
  ): Promise<T> {
    this.runtime.scheduler.access(this, "write");
    if (this.#state !== "live") throw this.gone();
    this.#active += 1;
    const running = new AttributeOperation(this);
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

  #refused(code: ErrnoCode, why: string): KernelError {
    return new KernelError(code, `${this.name}: ${why}`);
  }
}
