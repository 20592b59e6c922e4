/** What an application may know of the slice behind its adapter: as JSON, the answer to QUERYADAPTERINFO 0x1001. */
import { type Check, shape, text, whole } from "./shape.js";

/** Memory of a slice, in bytes. */
export interface SliceMemory {
  /** What it may have in use now. */
  readonly limit: number;
  readonly used: number;
  /** What is its own, whatever others do. */
  readonly reserved: number;
}

export interface SliceDescription {
  readonly uuid: string;
  /** Another one after each change of the slice's holder or use. */
  readonly generation: number;
  /** full, half, …, shared, custom. */
  readonly type: string;
  readonly memory: SliceMemory;
}

const bytes = whole(Number.MAX_SAFE_INTEGER);
const name = text(255);

/** @throws ProtocolError `bad-engine-message` */
export const parseSliceDescription: Check<SliceDescription> = shape({
  uuid: name,
  generation: whole(Number.MAX_SAFE_INTEGER),
  type: name,
  memory: shape({ limit: bytes, used: bytes, reserved: bytes }),
});
