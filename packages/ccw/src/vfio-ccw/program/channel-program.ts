/**
 * A guest's channel program as the machine can run it (after drivers/s390/cio/vfio_ccw_cp.c): copied, in format 1, all
 * data through format-2 IDAWs that lead to pages of the guest, which are pinned until the program is freed.
 *
 * It is right for prefetched programs only: one that changes itself while it runs changes what nobody looks at.
 */
import { type Ccw1, CcwFlag, type Orb } from "parhelion-buses";
import { KernelError } from "parhelion-core";
import type { HostBlock, HostStorage } from "../host-storage.js";
import { ccwBytes, encodeCcw, isTransfer, transferInChannel } from "./ccws.js";
import { dataAddresses, idawFormatOf } from "./data-areas.js";
import { type DataUse, dataUses } from "./data-use.js";
import { type GuestMemory, pageBytes } from "./guest-memory.js";
import { maxProgramPages } from "./limits.js";
import { type PageUse, PinnedPages } from "./pinned-pages.js";
import { fetchSegments, hex, type Segment, segmentAt } from "./segments.js";

const idawBytes = 8;

interface Placed extends Segment {
  /** Of its first CCW, from the block's begin. */
  readonly at: number;
  /** By CCW: the guest's addresses of its data; none for a transfer. */
  readonly data: readonly (readonly number[])[];
  /** By CCW. */
  readonly uses: readonly DataUse[];
}

const none: readonly number[] = [];

export class ChannelProgram {
  readonly #memory: GuestMemory;
  readonly #storage: HostStorage;
  /** By address: what is pinned, or about to be. */
  readonly #pages = new Map<number, PageUse>();
  #pinned: PinnedPages | null = null;
  #block: HostBlock | null = null;
  #segments: readonly Placed[] = [];
  #orb: Partial<Orb> = {};

  constructor(memory: GuestMemory, storage: HostStorage) {
    this.#memory = memory;
    this.#storage = storage;
  }

  /**
   * Once. After an error it is still to be freed.
   * @throws KernelError EINVAL it is too long, or asks for what is not supported; EFAULT, EPERM it leads to where there is
   * no such memory; ENOMEM
   */
  async translate(orb: Orb): Promise<void> {
    const format = idawFormatOf(orb);
    const placed: Placed[] = [];
    let end = 0;
    const segments = await fetchSegments(this.#memory, orb.cpa, orb.fmt === 1 ? 1 : 0);
    const uses = dataUses(segments);
    for (const [index, segment] of segments.entries()) {
      const data: (readonly number[])[] = [];
      for (const ccw of segment.ccws) {
        const addresses = isTransfer(ccw) ? none : dataAddresses(this.#memory, ccw, format);
        data.push(addresses instanceof Promise ? await addresses : addresses);
      }
      placed.push({ ...segment, at: end, data, uses: uses[index] ?? [] });
      // The place of one CCW stays empty: the address behind a segment is not that of the next.
      end += (segment.ccws.length + 1) * ccwBytes;
    }
    this.#segments = placed;
    this.#pin();
    this.#place(end);
    // What is built is format 2 always; with blocks of 2 KiB where the guest's are.
    const i2k = format.blockBytes === 2048 ? 1 : 0;
    // Format 0 knows no incorrect length of immediate commands; format 1 does unless it is suppressed.
    const ils = orb.fmt === 1 ? orb.ils : 1;
    this.#orb = { ...orb, fmt: 1, ils, c64: 1, i2k, cpa: this.#block?.address ?? 0 };
  }

  /** What starts it. @param lpm the paths to use where the guest leaves them open */
  orb(intparm: number, lpm: number): Partial<Orb> {
    return { ...this.#orb, intparm, lpm: this.#orb.lpm || lpm };
  }

  /** The guest's address of what the machine's is of; 0 for one that is not of this program. */
  guestAddress(address: number): number {
    const offset = address - (this.#block?.address ?? Number.NaN);
    for (const { at, ccws, address: guest } of this.#segments) {
      // The end of a segment as well: there the channel is when it is through.
      if (offset >= at && offset <= at + ccws.length * ccwBytes) return guest + (offset - at);
    }
    return 0;
  }

  /** Whether it has pinned something there, or is about to. */
  uses(address: bigint, length: bigint): boolean {
    for (const page of this.#pages.keys()) {
      if (BigInt(page) < address + length && BigInt(page + pageBytes) > address) return true;
    }
    return false;
  }

  /** From here on nothing of it can be reached by a device, and nothing of the guest is pinned for it. */
  free(): void {
    this.#block?.free();
    this.#block = null;
    this.#pinned?.unpin();
    this.#pinned = null;
    this.#pages.clear();
  }

  #pin(): void {
    for (const { uses, data } of this.#segments) {
      for (const [index, use] of uses.entries()) {
        if (use === "none") continue;
        for (const address of data[index] ?? none) {
          const page = pageOf(address);
          const before = this.#pages.get(page);
          this.#pages.set(page, before === undefined || before === use ? use : "read-write");
        }
      }
    }
    if (this.#pages.size > maxProgramPages) {
      throw new KernelError(
        "ENOMEM",
        `the channel program needs ${this.#pages.size} pages at once; at most ${maxProgramPages} are pinned for one`,
      );
    }
    this.#pinned = PinnedPages.pin(this.#memory, this.#storage, this.#pages);
  }

  /** Writes CCWs, then IDAWs, then a page for bytes that nobody wants, into a block of the machine's storage. */
  #place(ccwsEnd: number): void {
    let words = 0;
    for (const { data } of this.#segments) for (const { length } of data) words += length;
    const scratch = Math.ceil((ccwsEnd + words * idawBytes) / pageBytes) * pageBytes;
    const block = this.#storage.allocate(scratch + pageBytes);
    this.#block = block;
    const view = new DataView(block.bytes.buffer, block.bytes.byteOffset);
    let idal = ccwsEnd;
    for (const { at, ccws, data, uses } of this.#segments) {
      for (const [index, ccw] of ccws.entries()) {
        this.#translated(view, at + index * ccwBytes, ccw, block.address, idal);
        for (const address of data[index] ?? none) {
          // Where no data moves nobody looks behind the address; it must not be one of somebody's all the same.
          const target =
            uses[index] === "none"
              ? block.address + scratch + (address % pageBytes)
              : (this.#pinned?.hostAddress(address) ?? 0);
          view.setUint32(idal, Math.floor(target / 2 ** 32));
          view.setUint32(idal + 4, target % 2 ** 32);
          idal += idawBytes;
        }
      }
    }
  }

  #translated(
    view: DataView,
    at: number,
    { cmd, flags, count, cda }: Ccw1,
    block: number,
    idal: number,
  ): void {
    if (cmd !== transferInChannel) {
      encodeCcw(view, at, cmd, flags | CcwFlag.IDA, count, block + idal);
      return;
    }
    const target = segmentAt(this.#segments, cda);
    if (target === undefined) throw new KernelError("EFAULT", `no CCWs were copied from ${hex(cda)}`);
    encodeCcw(view, at, cmd, 0, 0, block + target.at + (cda - target.address));
  }
}

function pageOf(address: number): number {
  return Math.floor(address / pageBytes) * pageBytes;
}
