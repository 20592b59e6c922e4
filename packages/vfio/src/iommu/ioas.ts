/**
 * An address space of a user's devices: which iovas stand for which of the user's memory (after
 * drivers/vfio/vfio_iommu_type1.c and drivers/iommu/iommufd/io_pagetable.c). It is bookkeeping, and the only way from a
 * device to its user's memory. What its users may ask for, and how they are refused, is said by type1 and iommufd.
 */
import { KernelError, Mutex, type Named, type Runtime } from "parhelion-core";
import { IovaMapping, type MappingInit } from "./mapping.js";

export interface IoasLimits {
  /** In bytes, a power of two. */
  readonly pageSize: bigint;
  /** Mappings at most. */
  readonly mappings: number;
  /** Which iovas there are. */
  readonly ranges: readonly IovaRange[];
}

export interface IovaRange {
  readonly start: bigint;
  readonly last: bigint;
}

/** A device's way in. */
export interface IoasAccess {
  hasPins(mapping: IovaMapping): boolean;
  /** Has the driver let go of what it has pinned there. */
  recall(mapping: IovaMapping): Promise<void>;
}

/** 2^64 - 1. */
export const lastIova = (1n << 64n) - 1n;

export class Ioas implements Named {
  readonly name: string;
  readonly limits: IoasLimits;
  /** Held by whoever maps, unmaps or asks what is dirty. Devices do without it. */
  readonly mutex: Mutex;
  readonly #runtime: Runtime;
  /** By iova. */
  readonly #mappings: IovaMapping[] = [];
  readonly #accesses = new Set<IoasAccess>();
  #tracking: "on" | "off" = "off";

  constructor(runtime: Runtime, name: string, limits: IoasLimits) {
    this.#runtime = runtime;
    this.name = name;
    this.limits = limits;
    this.mutex = new Mutex(runtime, `maps of ${name}`);
  }

  get tracking(): "on" | "off" {
    this.#runtime.scheduler.access(this, "read");
    return this.#tracking;
  }

  get mappings(): readonly IovaMapping[] {
    this.#runtime.scheduler.access(this, "read");
    return [...this.#mappings];
  }

  get accesses(): ReadonlySet<IoasAccess> {
    this.#runtime.scheduler.access(this, "read");
    return this.#accesses;
  }

  /** How many more can be mapped. */
  get available(): number {
    this.#runtime.scheduler.access(this, "read");
    return this.limits.mappings - this.#mappings.length;
  }

  /**
   * Precondition: the mutex is held.
   * @throws KernelError EINVAL no or not whole pages, or beyond the end; EEXIST some of it is mapped, ENOSPC too many
   * mappings; in this order, and EINVAL at last: not within the iovas that there are
   */
  map(init: MappingInit): void {
    const { iova, size, vaddr } = init;
    const { pageSize, mappings } = this.limits;
    const what = `map 0x${size.toString(16)} bytes at 0x${iova.toString(16)} in ${this.name}`;
    if (size <= 0n || (size | iova | vaddr) % pageSize !== 0n) {
      throw new KernelError(
        "EINVAL",
        `${what}: give whole pages of ${pageSize}, the address (0x${vaddr.toString(16)}) too`,
      );
    }
    if (iova < 0n || vaddr < 0n || iova + size - 1n > lastIova || vaddr + size - 1n > lastIova) {
      throw new KernelError("EINVAL", `${what}: it goes beyond the end of the address space`);
    }
    this.#runtime.scheduler.access(this, "write");
    if (this.overlapping(iova, size).length > 0) {
      throw new KernelError("EEXIST", `${what}: some of it is mapped; unmap that first`);
    }
    if (this.#mappings.length >= mappings) {
      throw new KernelError(
        "ENOSPC",
        `${what}: there are ${mappings} mappings, which is the limit; unmap some`,
      );
    }
    const last = iova + size - 1n;
    if (!this.limits.ranges.some((range) => range.start <= iova && last <= range.last)) {
      throw new KernelError("EINVAL", `${what}: there are no such iovas; ask which there are`);
    }
    const mapping = new IovaMapping(init, this.name, pageSize);
    if (this.#tracking === "on") mapping.track();
    this.#mappings.splice(this.#indexFrom(iova), 0, mapping);
  }

  /** The mapping that the iova is in. */
  find(iova: bigint): IovaMapping | undefined {
    this.#runtime.scheduler.access(this, "read");
    const mapping = this.#mappings[this.#indexFrom(iova)];
    return mapping !== undefined && mapping.iova <= iova ? mapping : undefined;
  }

  /** Those that have some of the range, by iova. */
  overlapping(iova: bigint, size: bigint): IovaMapping[] {
    this.#runtime.scheduler.access(this, "read");
    const found: IovaMapping[] = [];
    for (let index = this.#indexFrom(iova); index < this.#mappings.length; index += 1) {
      const mapping = this.#mappings[index] as IovaMapping;
      if (mapping.iova >= iova + size) break;
      found.push(mapping);
    }
    return found;
  }

  /** Whether a mapping begins before, and goes on at, this iova. */
  bisects(iova: bigint): boolean {
    const mapping = iova > lastIova ? undefined : this.find(iova);
    return mapping !== undefined && mapping.iova < iova;
  }

  /**
   * Takes mappings away: accesses under way fail, drivers that have pinned some of it are told, and what is pinned
   * nevertheless is taken from them. The user's memory is not waited for. Precondition: the mutex is held.
   */
  async unmap(mappings: readonly IovaMapping[]): Promise<void> {
    this.#runtime.scheduler.access(this, "write");
    for (const mapping of mappings) {
      mapping.state = "going";
      const gone = new KernelError("EFAULT", `${mapping.name} was unmapped`);
      for (const access of mapping.pending) access.fail(gone);
      mapping.pending.clear();
    }
    for (const mapping of mappings) {
      if (mapping.pins.size > 0) await this.#recall(mapping);
    }
    this.#runtime.scheduler.access(this, "write");
    for (const mapping of mappings) this.#mappings.splice(this.#mappings.indexOf(mapping), 1);
  }

  /** Precondition: the mutex is held. @throws KernelError EINVAL a mapping is too large for it; nothing is tracked then */
  track(tracking: "on" | "off"): void {
    this.#runtime.scheduler.access(this, "write");
    if (this.#tracking === tracking) return;
    try {
      if (tracking === "on") for (const mapping of this.#mappings) mapping.track();
      this.#tracking = tracking;
    } finally {
      if (this.#tracking === "off") for (const mapping of this.#mappings) mapping.untrack();
    }
  }

  /** Only accesses call these. */
  join(access: IoasAccess): void {
    this.#runtime.scheduler.access(this, "write");
    this.#accesses.add(access);
  }

  leave(access: IoasAccess): void {
    this.#runtime.scheduler.access(this, "write");
    this.#accesses.delete(access);
  }

  async #recall(mapping: IovaMapping): Promise<void> {
    for (const access of [...this.#accesses]) {
      if (access.hasPins(mapping)) await access.recall(mapping);
    }
    this.#runtime.scheduler.access(this, "write");
    if (mapping.pins.size === 0) return;
    this.#runtime.log("error", "vfio.pins-left", { mapping: mapping.name, pins: mapping.pins.size });
    for (const pin of [...mapping.pins]) pin.take();
  }

  /** Of the first mapping that ends at or after this iova. */
  #indexFrom(iova: bigint): number {
    let [low, high] = [0, this.#mappings.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#mappings[middle] as IovaMapping).last < iova) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
