/**
 * The device's own log of what it writes (the features DMA_LOGGING_…): which pages of some ranges, asked for and
 * forgotten piece by piece. All of a device's DMA goes through one access, so no driver has to keep it.
 */
import { KernelError } from "parhelion-core";
import type { DmaAccess } from "../iommu/access.js";
import { Bitmap } from "../iommu/bitmap.js";
import { lastIova } from "../iommu/ioas.js";

export interface DmaLogRange {
  readonly iova: bigint;
  readonly length: bigint;
}

/** As many as fit into a page (LOG_MAX_RANGES). */
const maxRanges = 4096 / 16;
/** No page is smaller (SZ_4K), or every byte that is written would be kept by itself. */
const leastPage = 4096n;
/** Pages of one report. */
const maxPages = 2n ** 24n;

export class DmaLog {
  readonly #access: DmaAccess;
  #logged: {
    readonly pageSize: bigint;
    readonly ranges: readonly DmaLogRange[];
    readonly pages: Set<bigint>;
  } | null = null;

  constructor(access: DmaAccess) {
    this.#access = access;
  }

  /**
   * @throws KernelError EINVAL a page size that is no power of two, no ranges, one that is empty, wraps or overlaps another,
   * or it is on already; E2BIG too many ranges
   */
  start(pageSize: bigint, ranges: readonly DmaLogRange[]): void {
    if (pageSize <= 0n || (pageSize & (pageSize - 1n)) !== 0n) {
      throw new KernelError("EINVAL", `DMA_LOGGING_START: page size ${pageSize} is no power of two`);
    }
    if (ranges.length === 0) throw new KernelError("EINVAL", "DMA_LOGGING_START: no ranges");
    if (ranges.length > maxRanges) {
      throw new KernelError("E2BIG", `DMA_LOGGING_START: ${ranges.length} ranges; at most ${maxRanges}`);
    }
    const sorted = ranges.toSorted((a, b) => (a.iova < b.iova ? -1 : 1));
    let end = 0n;
    for (const { iova, length } of sorted) {
      if (length <= 0n || (iova | length) % pageSize !== 0n || iova + length - 1n > lastIova || iova < end) {
        throw new KernelError(
          "EINVAL",
          `DMA_LOGGING_START: range 0x${iova.toString(16)} is empty, wraps or overlaps`,
        );
      }
      end = iova + length;
    }
    if (this.#logged !== null) throw new KernelError("EINVAL", "DMA_LOGGING_START: it is on already");
    this.#logged = { pageSize: pageSize < leastPage ? leastPage : pageSize, ranges, pages: new Set() };
    this.#access.logWrites((iova, length) => this.#wrote(iova, length));
  }

  /** Without effect when it is off. */
  stop(): void {
    if (this.#logged === null) return;
    this.#logged = null;
    this.#access.logWrites(null);
  }

  /**
   * What was written of the range since it was last asked for.
   * @param room bytes that the answer may have
   * @throws KernelError EINVAL it is off, the range or page size makes no sense, or there is no room: nothing is forgotten then
   */
  report(iova: bigint, length: bigint, pageSize: bigint, room = Number.POSITIVE_INFINITY): Uint8Array {
    const logged = this.#logged;
    if (logged === null)
      throw new KernelError("EINVAL", "DMA_LOGGING_REPORT: nothing is logged; START first");
    if (
      pageSize < leastPage ||
      (pageSize & (pageSize - 1n)) !== 0n ||
      length <= 0n ||
      (iova | length) % pageSize !== 0n ||
      iova + length - 1n > lastIova ||
      length / pageSize > maxPages
    ) {
      throw new KernelError(
        "EINVAL",
        `DMA_LOGGING_REPORT: 0x${length.toString(16)} bytes at 0x${iova.toString(16)}`,
      );
    }
    const pages = Number(length / pageSize);
    const bytes = Bitmap.bytesFor(pages);
    if (bytes > room)
      throw new KernelError(
        "EINVAL",
        `DMA_LOGGING_REPORT: a bitmap of ${bytes} bytes, there is room for ${room}`,
      );
    const bits = new Bitmap(pages);
    for (const page of [...logged.pages]) {
      const from = page * logged.pageSize;
      const last = from + logged.pageSize - 1n;
      if (last < iova || from >= iova + length) continue;
      // Of a page that is asked for in part the rest is still to be told.
      if (from >= iova && last < iova + length) logged.pages.delete(page);
      const first = from < iova ? iova : from;
      const end = last >= iova + length ? iova + length - 1n : last;
      const start = Number((first - iova) / pageSize);
      bits.setRange(start, Number((end - iova) / pageSize) - start + 1);
    }
    this.#access.logPins();
    return bits.bytes;
  }

  #wrote(iova: bigint, length: number): void {
    const logged = this.#logged;
    if (logged === null || length === 0) return;
    const { pageSize, ranges, pages } = logged;
    const end = iova + BigInt(length);
    for (const range of ranges) {
      const first = iova > range.iova ? iova : range.iova;
      const rangeEnd = range.iova + range.length;
      const last = (end < rangeEnd ? end : rangeEnd) - 1n;
      if (first > last) continue;
      for (let page = first / pageSize; page <= last / pageSize; page += 1n) pages.add(page);
    }
  }
}
