/**
 * The type1 backend of a container: what its users may ask of an address space, checked in Linux's order
 * (drivers/vfio/vfio_iommu_type1.c). Version 1 unmaps a mapping whole when it is asked for its begin; version 2 never
 * cuts a mapping.
 */
import { KernelError } from "parhelion-core";
import { Bitmap } from "../iommu/bitmap.js";
import { type Ioas, lastIova } from "../iommu/ioas.js";
import { bitmapPages, type IovaMapping } from "../iommu/mapping.js";
import { chain } from "../region/layout.js";
import type { Capability } from "../region/region.js";
import {
  type BitmapRange,
  DirtyFlag,
  type IommuCalls,
  type IommuInfo,
  IommuInfoCap,
  IommuInfoFlag,
  type MapDma,
  MapFlag,
  type UnmapDma,
  UnmapFlag,
} from "./calls.js";

type Reply<K extends keyof IommuCalls> = IommuCalls[K]["reply"];

export class Type1 {
  readonly ioas: Ioas;
  readonly #version: 1 | 2;

  constructor(ioas: Ioas, version: 1 | 2) {
    this.ioas = ioas;
    this.#version = version;
  }

  /** Also says which iovas there are, how many mappings are left, and how large a bitmap may be. @throws KernelError EINVAL */
  info(argsz: number): IommuInfo {
    if (argsz < 16) throw new KernelError("EINVAL", `IOMMU_GET_INFO: argsz ${argsz} is less than 16`);
    const { pageSize, ranges } = this.ioas.limits;
    const placed = chain(24, [iovaRanges(ranges), migration(pageSize), dmaAvail(this.ioas.available)], argsz);
    return {
      ...placed,
      flags: IommuInfoFlag.PGSIZES | IommuInfoFlag.CAPS,
      // Every size from a page on: an emulated IOMMU has no tables.
      iovaPgsizes: lastIova & ~(pageSize - 1n),
    };
  }

  /** @throws KernelError EINVAL argsz, flags, neither READ nor WRITE, and as `Ioas.map` */
  async map(call: MapDma): Promise<undefined> {
    const { argsz, flags, iova, size, vaddr, memory } = call;
    if (argsz < 32 || (flags & ~(MapFlag.READ | MapFlag.WRITE)) !== 0) {
      throw new KernelError(
        "EINVAL",
        `MAP_DMA: argsz ${argsz} (at least 32), flags 0x${flags.toString(16)} (1 and 2)`,
      );
    }
    if (flags === 0) throw new KernelError("EINVAL", "MAP_DMA: flags say neither READ nor WRITE");
    const readable = (flags & MapFlag.READ) !== 0;
    const writable = (flags & MapFlag.WRITE) !== 0;
    await this.ioas.mutex.withLock(() => this.ioas.map({ iova, size, vaddr, memory, readable, writable }));
    return undefined;
  }

  /** @throws KernelError EINVAL argsz, flags, a range that is no whole pages, wraps or (version 2) cuts a mapping, a bitmap that does not fit */
  async unmap(call: UnmapDma): Promise<Reply<"UNMAP_DMA">> {
    const { argsz, flags, bitmap } = call;
    const wantsBitmap = (flags & UnmapFlag.GET_DIRTY_BITMAP) !== 0;
    const all = (flags & UnmapFlag.ALL) !== 0;
    if (argsz < 24 || (flags & ~(UnmapFlag.GET_DIRTY_BITMAP | UnmapFlag.ALL)) !== 0 || (wantsBitmap && all)) {
      throw new KernelError(
        "EINVAL",
        `UNMAP_DMA: argsz ${argsz} (at least 24), flags 0x${flags.toString(16)}`,
      );
    }
    if (wantsBitmap) this.#checkBitmap({ ...this.#bitmapOf(bitmap), iova: call.iova, size: call.size });
    return this.ioas.mutex.withLock(async () => {
      const { iova, size } = this.#unmapRange(call, all);
      if (wantsBitmap && (this.ioas.tracking === "off" || bitmap?.pgsize !== this.ioas.limits.pageSize)) {
        throw new KernelError(
          "EINVAL",
          "UNMAP_DMA: GET_DIRTY_BITMAP while nothing is tracked, or of another page size",
        );
      }
      const going = this.#unmappable(iova, size, all);
      await this.ioas.unmap(going);
      const unmapped = going.reduce((sum, mapping) => sum + mapping.size, 0n);
      if (!wantsBitmap) return { size: unmapped };
      return { size: unmapped, bitmap: bitsOf(going, iova, size, this.ioas.limits.pageSize).bytes };
    });
  }

  /** @throws KernelError EINVAL not exactly one of START, STOP, GET_BITMAP; a range that cuts a mapping, nothing is tracked */
  async dirtyPages(call: IommuCalls["DIRTY_PAGES"]["request"]): Promise<Reply<"DIRTY_PAGES">> {
    const { argsz, flags, range } = call;
    if (argsz < 8) throw new KernelError("EINVAL", `DIRTY_PAGES: argsz ${argsz} is less than 8`);
    if (flags !== DirtyFlag.START && flags !== DirtyFlag.STOP && flags !== DirtyFlag.GET_BITMAP) {
      throw new KernelError(
        "EINVAL",
        `DIRTY_PAGES: flags 0x${flags.toString(16)}; one of START, STOP and GET_BITMAP`,
      );
    }
    return this.ioas.mutex.withLock(() => {
      if (flags === DirtyFlag.GET_BITMAP) return { bitmap: this.#dirty(range, argsz) };
      this.ioas.track(flags === DirtyFlag.START ? "on" : "off");
      return {};
    });
  }

  #dirty(range: BitmapRange | undefined, argsz: number): Uint8Array {
    if (argsz < 48 || range === undefined) {
      throw new KernelError(
        "EINVAL",
        `DIRTY_PAGES: GET_BITMAP needs a range, and argsz ${argsz} is less than 48`,
      );
    }
    this.#checkBitmap(range);
    const { iova, size } = range;
    if (this.ioas.tracking === "off")
      throw new KernelError("EINVAL", "DIRTY_PAGES: nothing is tracked; START first");
    this.#assertWhole(iova, size, "DIRTY_PAGES");
    return bitsOf(this.ioas.overlapping(iova, size), iova, size, this.ioas.limits.pageSize).bytes;
  }

  #bitmapOf(bitmap: UnmapDma["bitmap"]): { pgsize: bigint; bytes: number } {
    if (bitmap !== undefined) return bitmap;
    throw new KernelError("EINVAL", "UNMAP_DMA: GET_DIRTY_BITMAP without room for one");
  }

  #checkBitmap({ iova, size, pgsize, bytes }: BitmapRange): void {
    const { pageSize } = this.ioas.limits;
    const what = `a bitmap of 0x${size.toString(16)} bytes at 0x${iova.toString(16)}`;
    if (pgsize !== pageSize || size <= 0n || (iova | size) % pageSize !== 0n || iova + size - 1n > lastIova) {
      throw new KernelError("EINVAL", `${what}: give whole pages of ${pageSize} bytes`);
    }
    const pages = size / pageSize;
    if (pages > bitmapPages || bytes < Bitmap.bytesFor(Number(pages))) {
      throw new KernelError("EINVAL", `${what}: ${pages} pages do not fit into ${bytes} bytes`);
    }
  }

  #unmapRange({ iova, size }: UnmapDma, all: boolean): { iova: bigint; size: bigint } {
    const { pageSize } = this.ioas.limits;
    if (all) {
      if (iova === 0n && size === 0n) return { iova: 0n, size: lastIova + 1n };
      throw new KernelError("EINVAL", "UNMAP_DMA: ALL takes neither iova nor size");
    }
    if (size <= 0n || iova < 0n || (iova | size) % pageSize !== 0n || iova + size - 1n > lastIova) {
      throw new KernelError(
        "EINVAL",
        `UNMAP_DMA: 0x${size.toString(16)} bytes at 0x${iova.toString(16)} are no whole pages of ${pageSize}, or wrap`,
      );
    }
    return { iova, size };
  }

  #unmappable(iova: bigint, size: bigint, all: boolean): readonly IovaMapping[] {
    if (this.#version === 2 && !all) this.#assertWhole(iova, size, "UNMAP_DMA");
    const found = this.ioas.overlapping(iova, size);
    // Whoever asks version 1 for the middle of a mapping gets nothing from there on.
    const cut = this.#version === 1 ? found.findIndex((mapping) => mapping.iova < iova) : -1;
    return cut === -1 ? found : found.slice(0, cut);
  }

  #assertWhole(iova: bigint, size: bigint, what: string): void {
    if (!this.ioas.bisects(iova) && !this.ioas.bisects(iova + size)) return;
    throw new KernelError(
      "EINVAL",
      `${what}: 0x${size.toString(16)} bytes at 0x${iova.toString(16)} would cut a mapping; name whole ones`,
    );
  }
}

function bitsOf(mappings: readonly IovaMapping[], iova: bigint, size: bigint, pageSize: bigint): Bitmap {
  const bits = new Bitmap(Number(size / pageSize));
  for (const mapping of mappings) bits.include(mapping.takeDirty(), Number((mapping.iova - iova) / pageSize));
  return bits;
}

function iovaRanges(ranges: readonly { readonly start: bigint; readonly last: bigint }[]): Capability {
  const data = new Uint8Array(8 + ranges.length * 16);
  const view = new DataView(data.buffer);
  view.setUint32(0, ranges.length, true);
  for (const [index, { start, last }] of ranges.entries()) {
    view.setBigUint64(8 + index * 16, start, true);
    view.setBigUint64(16 + index * 16, last, true);
  }
  return { id: IommuInfoCap.IOVA_RANGE, version: 1, data };
}

/** flags u32, pad, pgsize_bitmap u64, max_dirty_bitmap_size u64. */
function migration(pageSize: bigint): Capability {
  const data = new Uint8Array(24);
  const view = new DataView(data.buffer);
  view.setBigUint64(8, pageSize, true);
  view.setBigUint64(16, (BigInt(bitmapPages) + 1n) / 8n, true);
  return { id: IommuInfoCap.MIGRATION, version: 1, data };
}

function dmaAvail(available: number): Capability {
  const data = new Uint8Array(4);
  new DataView(data.buffer).setUint32(0, available, true);
  return { id: IommuInfoCap.DMA_AVAIL, version: 1, data };
}
