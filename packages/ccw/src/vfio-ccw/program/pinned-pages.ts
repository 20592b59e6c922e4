/**
 * The pages of a guest's that one channel program moves data to and from: pinned in runs, and lent to the machine's
 * storage, where the device finds them.
 */
import type { PinnedRange } from "parhelion-vfio";
import { type Answer, StorageFault } from "../../storage/storage.js";
import type { FrameContent, HostStorage, LentFrames } from "../host-storage.js";
import { type GuestMemory, pageBytes } from "./guest-memory.js";

/** What the device does with a page. */
export type PageUse = "read" | "write" | "read-write";

/** As many pages as VFIO pins at once. */
const maxRunPages = 512;

interface Run {
  readonly address: number;
  readonly pages: number;
  readonly use: PageUse;
}

interface Held {
  readonly run: Run;
  readonly pinned: PinnedRange;
  readonly lent: LentFrames;
}

export class PinnedPages {
  /** By the guest's address. */
  readonly #held: readonly Held[];
  /** Where the last address was: the next one is there as well, or behind it, more often than not. */
  #at = 0;

  private constructor(held: readonly Held[]) {
    this.#held = held;
  }

  /**
   * All of them, or none.
   * @param pages by the address of the page @throws KernelError EFAULT, EPERM there is no such memory; ENOMEM, E2BIG
   */
  static pin(memory: GuestMemory, storage: HostStorage, pages: ReadonlyMap<number, PageUse>): PinnedPages {
    const held: Held[] = [];
    try {
      for (const run of runsOf(pages)) {
        const pinned = memory.pin(BigInt(run.address), run.pages * pageBytes, run.use);
        try {
          const guarded = new Guarded(pinned, run.use);
          const lent = storage.lend(guarded, run.pages);
          guarded.address = lent.address;
          held.push({ run, pinned, lent });
        } catch (error) {
          pinned.unpin();
          throw error;
        }
      }
    } catch (error) {
      new PinnedPages(held).unpin();
      throw error;
    }
    return new PinnedPages(held);
  }

  /** Where the machine finds a byte of the guest's. Precondition: it is in one of the pages. */
  hostAddress(address: number): number {
    const last = this.#held[this.#at];
    const found = last !== undefined && isIn(last, address) ? last : this.#find(address);
    return found.lent.address + (address - found.run.address);
  }

  #find(address: number): Held {
    let [low, high] = [0, this.#held.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      const held = this.#held[middle] as Held;
      if (isIn(held, address)) {
        this.#at = middle;
        return held;
      }
      if (held.run.address > address) high = middle;
      else low = middle + 1;
    }
    throw new RangeError(`0x${address.toString(16)} is not pinned`);
  }

  /** Once: no device reaches them any more, then they are the guest's alone. */
  unpin(): void {
    for (const { lent, pinned } of this.#held) {
      lent.takeBack();
      pinned.unpin();
    }
  }
}

function isIn({ run }: Held, address: number): boolean {
  return address >= run.address && address < run.address + run.pages * pageBytes;
}

/** Pages that follow each other and are used alike, by address. */
function runsOf(pages: ReadonlyMap<number, PageUse>): readonly Run[] {
  const runs: Run[] = [];
  let address = 0;
  let count = 0;
  let use: PageUse = "read";
  // By address they mostly are already: that is quick to see.
  for (const page of [...pages.keys()].sort((a, b) => a - b)) {
    const wanted = pages.get(page) ?? "read-write";
    const follows = count > 0 && address + count * pageBytes === page;
    if (follows && wanted === use && count < maxRunPages) {
      count += 1;
      continue;
    }
    if (count > 0) runs.push({ address, pages: count, use });
    address = page;
    count = 1;
    use = wanted;
  }
  if (count > 0) runs.push({ address, pages: count, use });
  return runs;
}

/** Memory whose owner fails is, to a device, storage that is not there. */
class Guarded implements FrameContent {
  readonly #pinned: PinnedRange;
  readonly #use: PageUse;
  /** Where the machine has it. */
  address = 0;

  constructor(pinned: PinnedRange, use: PageUse) {
    this.#pinned = pinned;
    this.#use = use;
  }

  read(offset: number, length: number): Answer<Uint8Array> {
    try {
      const view = this.#pinned.view();
      if (view !== null) return view.subarray(offset, offset + length);
      return this.#pinned.read(offset, length).catch(() => this.#refuse(offset));
    } catch {
      return this.#refuse(offset);
    }
  }

  write(offset: number, bytes: Uint8Array): Answer<void> {
    // A view would take it.
    if (this.#use === "read") throw new StorageFault("protected", this.address + offset);
    try {
      const view = this.#pinned.view();
      if (view !== null) return view.set(bytes, offset);
      return this.#pinned.write(offset, bytes).catch(() => this.#refuse(offset));
    } catch {
      return this.#refuse(offset);
    }
  }

  #refuse(offset: number): never {
    throw new StorageFault("unavailable", this.address + offset);
  }
}
