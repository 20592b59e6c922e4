/** What a driver says of a region, and the numbers of the user interface (include/uapi/linux/vfio.h). */

/** A structure in a region's or device's capability chain, after its header. */
export interface Capability {
  readonly id: number;
  readonly version: number;
  readonly data: Uint8Array;
}

/** Bytes of a region. */
export interface RegionArea {
  readonly offset: number;
  readonly size: number;
}

export interface VfioRegion {
  /** In bytes; 0: there is no such region, though the index is known. */
  readonly size: number;
  readonly access: "none" | "read" | "write" | "read-write";
  /** What can be mapped: all of it, or only these areas, told in a capability. Without it nothing. */
  readonly mmap?: "whole" | readonly RegionArea[];
  /** What it is, where its index does not say so; told in a capability. */
  readonly type?: { readonly type: number; readonly subtype: number };
  /** More capabilities, after those that follow from the above. */
  readonly capabilities?: readonly Capability[];
}

export const RegionFlag = { READ: 1, WRITE: 2, MMAP: 4, CAPS: 8 } as const;
export const RegionCap = { SPARSE_MMAP: 1, TYPE: 2, MSIX_MAPPABLE: 3 } as const;

/** The regions of a PCI device, by index. */
export const PciRegion = {
  BAR0: 0,
  BAR1: 1,
  BAR2: 2,
  BAR3: 3,
  BAR4: 4,
  BAR5: 5,
  ROM: 6,
  CONFIG: 7,
  VGA: 8,
} as const;
