/** What a slice and its engine are held to at the moment: the descriptor and the memory that is granted. */
import type { EngineQuota } from "parhelion-protocol";
import type { SliceDescriptor } from "./descriptor.js";

export interface SliceTerms {
  readonly descriptor: SliceDescriptor;
  /** At least what is reserved, at most the limit. */
  readonly grantBytes: number;
}

/** In bytes, but for `refused`, which counts allocations. */
export interface SliceMemoryUse {
  readonly limitBytes: number;
  readonly grantBytes: number;
  readonly reservedBytes: number;
  readonly usedBytes: number;
  /** Most that was in use since the slice has this generation. */
  readonly peakBytes: number;
  readonly refused: number;
}

export function quotaOf({ descriptor, grantBytes }: SliceTerms): EngineQuota {
  const { memory, objects, bytesInFlight, submissionMs } = descriptor;
  const { reservedBytes, limitBytes } = memory;
  return { memoryBytes: grantBytes, reservedBytes, limitBytes, objects, bytesInFlight, submissionMs };
}
