/** What can be asked of an open container (/dev/vfio/vfio), under the names of the ioctls. */
import type { OpenFile } from "parhelion-core";
import type { ReplyOf, RequestOf } from "../device/calls.js";
import type { UserMemory } from "../iommu/user-memory.js";

/** What CHECK_EXTENSION and SET_IOMMU take. */
export const Extension = {
  TYPE1: 1,
  TYPE1v2: 3,
  DMA_CC: 4,
  NOIOMMU: 8,
  UNMAP_ALL: 9,
} as const;

export const MapFlag = { READ: 1, WRITE: 2 } as const;
export const UnmapFlag = { GET_DIRTY_BITMAP: 1, ALL: 2 } as const;
export const DirtyFlag = { START: 1, STOP: 2, GET_BITMAP: 4 } as const;
export const IommuInfoFlag = { PGSIZES: 1, CAPS: 2 } as const;
export const IommuInfoCap = { IOVA_RANGE: 1, MIGRATION: 2, DMA_AVAIL: 3 } as const;

export interface MapDma {
  readonly argsz: number;
  /** MapFlag. */
  readonly flags: number;
  readonly vaddr: bigint;
  readonly iova: bigint;
  readonly size: bigint;
  /** Whose `vaddr` it is: the caller's, which only the caller can give. */
  readonly memory: UserMemory;
}

/** Of which a bitmap tells: one bit for each page of `pgsize` bytes, the lowest first. */
export interface BitmapRange {
  readonly iova: bigint;
  readonly size: bigint;
  readonly pgsize: bigint;
  /** Bytes that the caller has for the bitmap. */
  readonly bytes: number;
}

export interface UnmapDma {
  readonly argsz: number;
  /** UnmapFlag. */
  readonly flags: number;
  readonly iova: bigint;
  readonly size: bigint;
  /** With GET_DIRTY_BITMAP. */
  readonly bitmap?: { readonly pgsize: bigint; readonly bytes: number };
}

export interface IommuInfo {
  readonly argsz: number;
  readonly flags: number;
  /** Bit n: pages of 2^n bytes. */
  readonly iovaPgsizes: bigint;
  readonly capOffset: number;
  readonly capabilities: Uint8Array;
}

/** Of the backend (type1), once SET_IOMMU has chosen it. */
export interface IommuCalls {
  IOMMU_GET_INFO: { request: { readonly argsz: number }; reply: IommuInfo };
  MAP_DMA: { request: MapDma; reply: undefined };
  UNMAP_DMA: { request: UnmapDma; reply: { readonly size: bigint; readonly bitmap?: Uint8Array } };
  DIRTY_PAGES: {
    request: { readonly argsz: number; readonly flags: number; readonly range?: BitmapRange };
    reply: { readonly bitmap?: Uint8Array };
  };
}

export interface ContainerCalls extends IommuCalls {
  GET_API_VERSION: { request: object; reply: number };
  CHECK_EXTENSION: { request: { readonly extension: number }; reply: number };
  SET_IOMMU: { request: { readonly type: number }; reply: undefined };
}

export type ContainerRequest = RequestOf<ContainerCalls>;
export type ContainerReply = ReplyOf<ContainerCalls>;
export type ContainerFile = OpenFile<ContainerRequest, ContainerReply>;
