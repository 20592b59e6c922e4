/** A piece of an address space: iovas that stand for a user's memory. */
import { type Completion, KernelError, type Named } from "parhelion-core";
import { Bitmap } from "./bitmap.js";
import type { UserMemory } from "./user-memory.js";

/** Of a bitmap at most (DIRTY_BITMAP_PAGES_MAX). */
export const bitmapPages = 2 ** 31 - 1;

export interface MappingInit {
  readonly iova: bigint;
  /** In bytes, whole pages. */
  readonly size: bigint;
  /** Where it is in `memory`. */
  readonly vaddr: bigint;
  readonly memory: UserMemory;
  readonly readable: boolean;
  readonly writable: boolean;
}

/** Who holds on to a mapping. */
export interface MappingHold {
  /** The user takes it back. */
  take(): void;
  /** What it writes nobody sees: if it may write, what it holds of the mapping counts as written. */
  dirtyAgain(mapping: IovaMapping): void;
}

export class IovaMapping implements Named {
  readonly name: string;
  readonly iova: bigint;
  readonly size: bigint;
  readonly vaddr: bigint;
  readonly memory: UserMemory;
  readonly readable: boolean;
  readonly writable: boolean;
  /** Accesses under way that wait for the user's memory. */
  readonly pending = new Set<Completion<unknown>>();
  readonly pins = new Set<MappingHold>();
  /** "going": nothing new reaches it, and its iovas are not free yet. */
  state: "mapped" | "going" = "mapped";
  /** Which pages were written since it was last asked; null: nobody wants to know. */
  dirty: Bitmap | null = null;
  readonly #pageSize: bigint;

  constructor(init: MappingInit, space: string, pageSize: bigint) {
    this.name = `0x${init.iova.toString(16)} in ${space}`;
    this.iova = init.iova;
    this.size = init.size;
    this.vaddr = init.vaddr;
    this.memory = init.memory;
    this.readable = init.readable;
    this.writable = init.writable;
    this.#pageSize = pageSize;
  }

  /** The last iova. */
  get last(): bigint {
    return this.iova + this.size - 1n;
  }

  /** @throws KernelError EINVAL it has more pages than a bitmap may */
  track(): void {
    const pages = this.#pages(this.size);
    if (pages > bitmapPages)
      throw new KernelError(
        "EINVAL",
        `${this.name} can't be tracked: ${pages} pages, at most ${bitmapPages}`,
      );
    this.dirty = new Bitmap(pages);
    // Who has pinned pages writes them unseen.
    for (const pin of this.pins) pin.dirtyAgain(this);
  }

  untrack(): void {
    this.dirty = null;
  }

  /** Precondition: within the mapping. */
  wrote(iova: bigint, length: number): void {
    if (this.dirty === null || length === 0) return;
    const first = Number((iova - this.iova) / this.#pageSize);
    const last = Number((iova + BigInt(length) - 1n - this.iova) / this.#pageSize);
    this.dirty.setRange(first, last - first + 1);
  }

  /** @returns what is dirty, forgetting it but for what is pinned for writing */
  takeDirty(): Bitmap {
    const taken = this.dirty ?? new Bitmap(this.#pages(this.size));
    if (this.dirty !== null) this.track();
    return taken;
  }

  #pages(bytes: bigint): number {
    return Number(bytes / this.#pageSize);
  }
}
