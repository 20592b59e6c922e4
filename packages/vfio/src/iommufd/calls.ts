/** What can be asked of an open iommufd (/dev/iommu), under the names of the ioctls (include/uapi/linux/iommufd.h). */
import type { OpenFile } from "parhelion-core";
import type { ContainerCalls } from "../container/calls.js";
import type { ReplyOf, RequestOf } from "../device/calls.js";
import type { UserMemory } from "../iommu/user-memory.js";

export const IoasMapFlag = { FIXED_IOVA: 1, WRITEABLE: 2, READABLE: 4 } as const;

/** Those of a container as well: they go to an address space of their own, which a group's SET_CONTAINER makes. */
export interface IommufdCalls extends ContainerCalls {
  IOAS_ALLOC: { request: { readonly flags: number }; reply: { readonly ioasId: number } };
  DESTROY: { request: { readonly id: number }; reply: undefined };
  IOAS_IOVA_RANGES: {
    request: { readonly ioasId: number };
    reply: {
      readonly ranges: readonly { readonly start: bigint; readonly last: bigint }[];
      readonly alignment: bigint;
    };
  };
  IOAS_MAP: {
    request: {
      readonly ioasId: number;
      readonly flags: number;
      readonly userVa: bigint;
      readonly length: bigint;
      /** Where, with FIXED_IOVA; else the reply says where. */
      readonly iova: bigint;
      readonly memory: UserMemory;
    };
    reply: { readonly iova: bigint };
  };
  /** 0 and 2^64 - 1: all there is. */
  IOAS_UNMAP: {
    request: { readonly ioasId: number; readonly iova: bigint; readonly length: bigint };
    reply: { readonly length: bigint };
  };
}

export type IommufdRequest = RequestOf<IommufdCalls>;
export type IommufdReply = ReplyOf<IommufdCalls>;
export type IommufdFile = OpenFile<IommufdRequest, IommufdReply>;
