/** A guest's memory of some pages, with what is pinned of it, and channel programs to put there. */
import { ccw0, ccw1 } from "parhelion-buses";
import { KernelError } from "parhelion-core";
import type { PinnedRange } from "parhelion-vfio";
import type { GuestMemory } from "./guest-memory.js";

export class Guest implements GuestMemory {
  readonly bytes: Uint8Array;
  readonly pins = new Set<PinnedRange>();
  /** By address: for what the page was pinned last. */
  readonly uses = new Map<number, "read" | "write" | "read-write">();

  constructor(pages = 16) {
    this.bytes = new Uint8Array(pages * 4096);
  }

  async read(iova: bigint, length: number): Promise<Uint8Array> {
    return this.#at(Number(iova), length).slice();
  }

  pin(iova: bigint, length: number, use: "read" | "write" | "read-write" = "read-write"): PinnedRange {
    const bytes = this.#at(Number(iova), length);
    for (let page = Number(iova); page < Number(iova) + length; page += 4096) this.uses.set(page, use);
    const pins = this.pins;
    const pinned: PinnedRange = {
      iova,
      length,
      get state() {
        return pins.has(pinned) ? "pinned" : "unpinned";
      },
      view: () => bytes,
      read: async (offset, size) => bytes.slice(offset, offset + size),
      write: async (offset, content) => bytes.set(content, offset),
      unpin: () => void pins.delete(pinned),
    };
    pins.add(pinned);
    return pinned;
  }

  /** @returns where the next CCW would go */
  put(
    at: number,
    format: 0 | 1,
    ...ccws: readonly { cmd: number; flags?: number; count?: number; cda?: number }[]
  ) {
    for (const [index, ccw] of ccws.entries()) {
      this.bytes.set((format === 0 ? ccw0 : ccw1).encode(ccw), at + index * 8);
    }
    return at + ccws.length * 8;
  }

  word(at: number, value: number): void {
    new DataView(this.bytes.buffer).setUint32(at, value);
  }

  long(at: number, value: number): void {
    new DataView(this.bytes.buffer).setBigUint64(at, BigInt(value));
  }

  #at(address: number, length: number): Uint8Array {
    if (address < 0 || address + length > this.bytes.length) {
      throw new KernelError("EFAULT", `0x${address.toString(16)} is not mapped`);
    }
    return this.bytes.subarray(address, address + length);
  }
}
