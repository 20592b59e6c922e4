/** How a callback that has only the subchannel finds the context, and how the context is put in its reach and out of it. */
import type { SpinLock } from "parhelion-core";
import type { Atomic, World } from "../../../program.js";
import type { Context } from "./context.js";
import type { Design } from "./designs.js";

/** What stands between, where it is no context itself. */
interface Outer {
  readonly inner: Atomic<Context | null>;
}

export class Link {
  readonly #world: World;
  readonly #design: Design;
  readonly #lock: SpinLock;
  /** The subchannel's driver data. */
  readonly #outer: Atomic<Outer | null>;
  /** Where the context is looked for, once the outer struct is found. */
  readonly #inner: Atomic<Context | null>;
  #struct: Outer | null = null;

  constructor(world: World, design: Design, lock: SpinLock) {
    this.#world = world;
    this.#design = design;
    this.#lock = lock;
    this.#outer = world.atomic("the subchannel's driver data", null as Outer | null);
    this.#inner = world.atomic("the pointer to private", null as Context | null);
  }

  /** In css probe. A design whose context is the outer struct passes it. */
  async publishOuter(context: Context | null): Promise<void> {
    const { outer } = this.#design;
    if (outer === "nothing") return;
    if (outer === "the context") return this.#set(this.#inner, context);
    this.#struct = this.#world.allocate("parent", { inner: this.#inner });
    await this.#set(this.#outer, this.#struct);
  }

  /** In css remove. */
  async withdrawOuter(): Promise<void> {
    const { outer } = this.#design;
    if (outer === "nothing") return;
    if (outer === "the context") return this.#set(this.#inner, null);
    await this.#set(this.#outer, null);
    if (this.#struct !== null) this.#world.free(this.#struct);
  }

  /** In the mdev's probe; null when it is removed. */
  async publish(context: Context | null): Promise<void> {
    if (this.#design.outer !== "the context") await this.#set(this.#inner, context);
  }

  /** Called with the subchannel's lock held. `none`: what to answer when there is no context. */
  async use<T>(none: T, run: (context: Context) => Promise<T>): Promise<T> {
    if (this.#design.callbacksHold !== "nothing") return this.#useCounted(none, run);
    const context = await this.#reach();
    if (context === null) return none;
    await this.#world.point("use private");
    return run(context);
  }

  async #reach(): Promise<Context | null> {
    const { outer } = this.#design;
    if (outer === "nothing") return this.#inner.load();
    if (outer === "the context") return (await this.#inner.load()) ?? this.#missing();
    const struct = await this.#outer.load();
    if (struct === null) return this.#missing();
    await this.#world.point("use parent");
    return struct.inner.load();
  }

  #missing(): null {
    if (this.#design.missingOuter === "expected") return null;
    throw new TypeError("NULL pointer dereference: the subchannel has no driver data");
  }

  /** Pointer and reference in one step are what a read section of RCU, or a lock around both, gives. */
  async #useCounted<T>(none: T, run: (context: Context) => Promise<T>): Promise<T> {
    await this.#world.point("private, and a reference");
    this.#world.reads(this.#inner);
    const context = this.#inner.peek();
    if (context === null) return none;
    if (this.#design.callbacksHold !== "a registration reference")
      await this.#world.point("take the reference");
    const { vfio } = context;
    if (vfio?.tryUse() !== true) return none;
    await this.#world.point("use private");
    try {
      return await run(context);
    } finally {
      vfio.unuse();
    }
  }

  async #set<T>(pointer: Atomic<T>, value: T): Promise<void> {
    if (this.#design.publishing === "without a lock") return pointer.store(value);
    const guard = await this.#lock.lock();
    await pointer.store(value);
    guard.release();
  }
}
