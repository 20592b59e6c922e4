/** AllowSharedBufferSource arguments, and the part of one that `dataOffset` and `size` name. */
import { enforceU64, typeError } from "./convert.js";

/** The bytes of an ArrayBuffer, a SharedArrayBuffer or a view. @throws TypeError */
export function bufferSource(data: unknown, what: string): Uint8Array {
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  if (data instanceof ArrayBuffer || data instanceof SharedArrayBuffer) return new Uint8Array(data);
  throw typeError(what, "the data is neither a buffer nor a view of one");
}

/**
 * `dataOffset` and `size` count elements of a typed array, bytes of anything else.
 * @throws TypeError; DOMException OperationError when they are outside of the data
 */
export function bufferSourceRange(
  data: unknown,
  dataOffset: unknown,
  size: unknown,
  what: string,
): Uint8Array {
  const bytes = bufferSource(data, what);
  const unit = elementBytes(data);
  const start = dataOffset === undefined ? 0 : enforceU64(dataOffset, `${what}.dataOffset`) * unit;
  const length = size === undefined ? bytes.length - start : enforceU64(size, `${what}.size`) * unit;
  if (start > bytes.length) throw outside(what, `dataOffset is beyond the data's ${bytes.length} bytes`);
  if (length > bytes.length - start) throw outside(what, `size is beyond the data's ${bytes.length} bytes`);
  return bytes.subarray(start, start + length);
}

function elementBytes(data: unknown): number {
  return (data as { readonly BYTES_PER_ELEMENT?: number }).BYTES_PER_ELEMENT ?? 1;
}

function outside(what: string, problem: string): DOMException {
  return new DOMException(`${what}: ${problem}`, "OperationError");
}
