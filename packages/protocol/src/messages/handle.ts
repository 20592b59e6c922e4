/**
 * Handles as dxgkrnl lays them out (hmgr): instance in bits 0-5, index in 6-29, unique in 30-31. A table belongs to one
 * open file or one host process; lookups check index, unique, instance and type.
 *
 * There a freed slot's unique always becomes 2, so that from the third use on an old handle names the new object.
 * Here the counter of a slot really advances: unique and instance together give a slot 3 · 64 generations, and
 * freed slots are reused oldest first and not before `minFree` of them wait, so that a stale handle stays stale for
 * 192 · minFree creations at the least.
 */
import { controlError } from "./control-error.js";
import { limitReached } from "./limit-reached.js";

const instanceBits = 6;
const indexBits = 24;
const instances = 2 ** instanceBits;
/** Unique 0 is left out, so that no handle is 0. */
const uniques = 3;

interface Slot<T> {
  generation: number;
  entry: { readonly type: string; readonly object: T } | null;
}

export interface HandleTableOptions {
  /** Most live handles. Default 65 536. */
  readonly limit?: number;
  /** Freed slots that wait before the first is used again. Default 128, as dxgkrnl. */
  readonly minFree?: number;
}

export class HandleTable<T> {
  readonly #slots: Slot<T>[] = [];
  #free: number[] = [];
  #freeHead = 0;
  #live = 0;
  readonly #limit: number;
  readonly #minFree: number;

  constructor(options: HandleTableOptions = {}) {
    this.#limit = Math.min(options.limit ?? 65_536, 2 ** indexBits - 1);
    this.#minFree = options.minFree ?? 128;
  }

  get size(): number {
    return this.#live;
  }

  /** @throws ControlError EMFILE at the table's limit */
  add(type: string, object: T): number {
    if (this.#live >= this.#limit) {
      throw limitReached("EMFILE", {
        slice: "",
        rule: "handlesPerTable",
        limit: this.#limit,
        used: this.#live,
        wanted: 1,
        remedy: "destroy some of what the process has",
      });
    }
    const index = this.#takeSlot();
    const slot = this.#slots[index] as Slot<T>;
    slot.entry = { type, object };
    this.#live++;
    return handleOf(index, slot.generation);
  }

  /** @throws ControlError EBADF for a handle that is none, freed or of another type */
  get(type: string, handle: number): T {
    const entry = this.#find(handle)?.entry;
    if (entry?.type !== type)
      throw controlError("EBADF", `0x${handle.toString(16)} is no ${type} of this process`);
    return entry.object;
  }

  /** Unlinks: from here on the handle is unknown. @throws ControlError EBADF */
  remove(type: string, handle: number): T {
    const object = this.get(type, handle);
    const slot = this.#find(handle) as Slot<T>;
    slot.entry = null;
    slot.generation = (slot.generation + 1) % (instances * uniques);
    this.#free.push((handle >>> instanceBits) & (2 ** indexBits - 1));
    this.#live--;
    return object;
  }

  *entries(): IterableIterator<{ readonly handle: number; readonly type: string; readonly object: T }> {
    for (const [index, slot] of this.#slots.entries()) {
      if (slot.entry !== null) yield { handle: handleOf(index, slot.generation), ...slot.entry };
    }
  }

  #find(handle: number): Slot<T> | undefined {
    const index = (handle >>> instanceBits) & (2 ** indexBits - 1);
    const slot = this.#slots[index];
    return slot !== undefined && handleOf(index, slot.generation) === handle ? slot : undefined;
  }

  #takeSlot(): number {
    const waiting = this.#free.length - this.#freeHead;
    if (waiting > this.#minFree || this.#slots.length === 2 ** indexBits - 1) {
      const index = this.#free[this.#freeHead++] as number;
      if (this.#freeHead > 1024) {
        this.#free = this.#free.slice(this.#freeHead);
        this.#freeHead = 0;
      }
      return index;
    }
    this.#slots.push({ generation: 0, entry: null });
    return this.#slots.length - 1;
  }
}

function handleOf(index: number, generation: number): number {
  const unique = 1 + (generation % uniques);
  const instance = Math.floor(generation / uniques);
  return unique * 2 ** (indexBits + instanceBits) + index * 2 ** instanceBits + instance;
}
