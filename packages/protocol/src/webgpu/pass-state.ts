/** Encoders of setBindGroup and setImmediates: called for every draw, of variable size, so written by hand. */
import { bufferSourceRange } from "./buffer-source.js";
import { enforceU32, enforceU64, toElements, typeError } from "./convert.js";
import { InterfaceKind } from "./generated/numbers.js";
import type { CommandStream } from "./stream.js";

/** Words of a setBindGroup record before its offsets: header, pass, index, group, count. */
export const BIND_GROUP_WORDS = 6;
/** Words of a setImmediates record before its data: header, pass, range offset, bytes, zero. */
export const IMMEDIATES_WORDS = 6;

const noOffsets: readonly number[] = Object.freeze([]);

/**
 * Both overloads: (index, group, sequence of offsets) and (index, group, Uint32Array, start, length).
 * @throws TypeError; RangeError when `start` and `length` are outside of the array
 */
export function encodeSetBindGroup(
  stream: CommandStream,
  opcode: number,
  self: number,
  index: unknown,
  bindGroup: unknown,
  dynamicOffsets: unknown,
  start: unknown,
  length: unknown,
  what: string,
): void {
  const slot = enforceU32(index, what);
  const group = stream.nullableHandle(bindGroup, InterfaceKind.GPUBindGroup, "GPUBindGroup", what);
  if (dynamicOffsets === undefined) {
    write(stream, opcode, self, slot, group, noOffsets, 0, 0);
    return;
  }
  if (start !== undefined || length !== undefined) {
    if (!(dynamicOffsets instanceof Uint32Array))
      throw typeError(what, "dynamicOffsetsData is not a Uint32Array");
    const first = enforceU64(start, what);
    const count = enforceU32(length, what);
    if (first + count > dynamicOffsets.length) {
      throw new RangeError(
        `${what}: ${count} offsets from ${first} are beyond the array's ${dynamicOffsets.length}`,
      );
    }
    write(stream, opcode, self, slot, group, dynamicOffsets, first, count);
    return;
  }
  const elements = toElements(dynamicOffsets, what);
  const offsets = areOffsets(elements) ? elements : Array.from(elements, (each) => enforceU32(each, what));
  write(stream, opcode, self, slot, group, offsets, 0, offsets.length);
}

function areOffsets(elements: readonly unknown[]): elements is readonly number[] {
  for (let n = 0; n < elements.length; n += 1) {
    const offset = elements[n];
    if (typeof offset !== "number" || offset >>> 0 !== offset) return false;
  }
  return true;
}

function write(
  stream: CommandStream,
  opcode: number,
  self: number,
  slot: number,
  group: number,
  offsets: ArrayLike<number>,
  first: number,
  count: number,
): void {
  const { tx } = stream;
  const words = (BIND_GROUP_WORDS + count + 1) & ~1;
  if (words * 4 > tx.maxRecord) throw new RangeError(`${count} dynamic offsets are more than a record holds`);
  const i = tx.begin(words * 4);
  const { u32 } = tx;
  u32[i] = words * 4;
  u32[i + 1] = opcode;
  u32[i + 2] = self;
  u32[i + 3] = slot;
  u32[i + 4] = group;
  u32[i + 5] = count;
  const at = i + BIND_GROUP_WORDS;
  for (let n = 0; n < count; n += 1) u32[at + n] = offsets[first + n]!;
  if ((count & 1) !== 0) u32[at + count] = 0;
}

/** @throws TypeError; DOMException OperationError when the range is outside of the data */
export function encodeSetImmediates(
  stream: CommandStream,
  opcode: number,
  self: number,
  rangeOffset: unknown,
  data: unknown,
  dataOffset: unknown,
  dataSize: unknown,
  what: string,
): void {
  const offset = enforceU32(rangeOffset, what);
  const bytes = bufferSourceRange(data, dataOffset, dataSize, what);
  const { tx } = stream;
  const words = IMMEDIATES_WORDS + (((bytes.length + 7) & ~7) >> 2);
  if (words * 4 > tx.maxRecord)
    throw new RangeError(`${what}: ${bytes.length} bytes are more than a record holds`);
  const i = tx.begin(words * 4);
  const { u32, u8 } = tx;
  u32[i] = words * 4;
  u32[i + 1] = opcode;
  u32[i + 2] = self;
  u32[i + 3] = offset;
  u32[i + 4] = bytes.length;
  u32[i + 5] = 0;
  const at = (i + IMMEDIATES_WORDS) * 4;
  u8.set(bytes, at);
  for (let n = bytes.length; (n & 7) !== 0; n += 1) u8[at + n] = 0;
}
