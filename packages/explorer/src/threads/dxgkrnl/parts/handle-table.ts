/**
 * A process's handles. The values come from the host, which gives a value out again once it has heard that the object is
 * destroyed; the guest's table must not have it in use then.
 */
import { KernelError, type Named } from "parhelion-core";
import type { World } from "../../../program.js";

/** The guest's table: what each value stands for. Each use is whole, under the table's lock. */
export class HandleTable<T> implements Named {
  readonly name = "handle table";
  readonly #world: World;
  readonly #objects = new Map<number, T>();

  constructor(world: World) {
    this.#world = world;
  }

  /** @throws KernelError EINVAL the value is in use */
  assign(handle: number, object: T): void {
    this.#world.writes(this);
    if (this.#objects.has(handle)) throw new KernelError("EINVAL", `handle ${handle} is in use`);
    this.#objects.set(handle, object);
  }

  /** What it stood for; undefined: nothing, so somebody else has removed it. */
  remove(handle: number): T | undefined {
    this.#world.writes(this);
    const object = this.#objects.get(handle);
    this.#objects.delete(handle);
    return object;
  }

  get(handle: number): T | undefined {
    this.#world.reads(this);
    return this.#objects.get(handle);
  }
}

/** The host's objects. A value that was freed is the next to be given out. */
export class HostObjects implements Named {
  readonly name = "objects on the host";
  readonly #world: World;
  readonly #live = new Set<number>();

  constructor(world: World) {
    this.#world = world;
  }

  get live(): number {
    this.#world.reads(this);
    return this.#live.size;
  }

  async create(): Promise<number> {
    await this.#world.point("create at the host");
    this.#world.writes(this);
    let handle = 1;
    while (this.#live.has(handle)) handle += 1;
    this.#live.add(handle);
    return handle;
  }

  async destroy(handle: number): Promise<void> {
    await this.#world.point("destroy at the host");
    this.#world.writes(this);
    this.#world.expect(this.#live.delete(handle), `the host has no object ${handle}`);
  }
}
