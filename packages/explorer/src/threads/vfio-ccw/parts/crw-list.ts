/** Reports about channel paths, on their way to the guest: a callback appends, the guest reads. */
import type { SpinLock } from "parhelion-core";
import type { World } from "../../../program.js";

type Crw = object;

export class CrwList {
  readonly #world: World;
  readonly #list: { items: readonly Crw[] };

  constructor(world: World) {
    this.#world = world;
    this.#list = world.track("crw list", { items: [] as readonly Crw[] });
  }

  /** From a callback, with the subchannel's lock held. */
  append(): void {
    const list = this.#list;
    list.items = [...list.items, this.#world.allocate("crw", {})];
  }

  /** What a read of the guest does. @param lock taken around it, unless null */
  async take(lock: SpinLock | null): Promise<"crw" | "none"> {
    const list = this.#list;
    const guard = (await lock?.lock()) ?? null;
    const [first] = list.items;
    if (first !== undefined) {
      await this.#world.point("read crw");
      list.items = list.items.filter((crw) => crw !== first);
      this.#world.free(first);
    }
    guard?.release();
    return first === undefined ? "none" : "crw";
  }

  freeAll(): void {
    const { items } = this.#list;
    this.#list.items = [];
    for (const crw of items) this.#world.free(crw);
  }
}
