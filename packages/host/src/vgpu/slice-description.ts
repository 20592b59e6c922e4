/** What a guest is told of the slice that it has, and nothing of any other. */
import type { SliceDescription, SliceMemory } from "parhelion-protocol";
import type { Slice } from "../slices/slice.js";

/** The number of QUERYADAPTERINFO's answer that is this, as JSON. */
export const sliceDescriptionType = 0x1001;

export function describeSliceOf(slice: Slice): SliceDescription {
  const { uuid, generation, descriptor } = slice;
  return { uuid, generation, type: descriptor.type, memory: memoryOf(slice) };
}

/** What it may use now, which the use of others can change; not the limit that it has at best. */
export function memoryOf({ memory }: Slice): SliceMemory {
  return { limit: memory.grantBytes, used: memory.usedBytes, reserved: memory.reservedBytes };
}
