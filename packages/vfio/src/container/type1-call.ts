/** Hands a request of a container's file, or of an iommufd that stands in for one, to its address space. */

import type { RequestOf } from "../device/calls.js";
import type { IommuCalls } from "./calls.js";
import type { Type1 } from "./type1.js";

export type IommuRequest = RequestOf<IommuCalls>;

export function isIommuRequest(request: { readonly op: string }): request is IommuRequest {
  return ["IOMMU_GET_INFO", "MAP_DMA", "UNMAP_DMA", "DIRTY_PAGES"].includes(request.op);
}

export async function type1Call(
  type1: Type1,
  request: IommuRequest,
): Promise<IommuCalls[keyof IommuCalls]["reply"]> {
  switch (request.op) {
    case "IOMMU_GET_INFO":
      return type1.info(request.argsz);
    case "MAP_DMA":
      return type1.map(request);
    case "UNMAP_DMA":
      return type1.unmap(request);
    case "DIRTY_PAGES":
      return type1.dirtyPages(request);
  }
}
