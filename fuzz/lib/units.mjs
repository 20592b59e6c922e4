/** How inputs are cut into units: by a size in front of each, all of one size, or as lines. */

/** Units that begin with their own `u32` size, itself included. What does not parse is the last unit. */
export function splitSized(input, { align = 1, least = 4 } = {}) {
  const units = [];
  const view = new DataView(input.buffer, input.byteOffset, input.byteLength);
  let at = 0;
  while (input.length - at >= 4) {
    const size = view.getUint32(at, true);
    if (size < least || size % align !== 0 || size > input.length - at) break;
    units.push(input.subarray(at, at + size));
    at += size;
  }
  if (at < input.length) units.push(input.subarray(at));
  return units;
}

/** @returns the unit with its size in front made true, filled up to a multiple of `align` */
export function mendSized(unit, { align = 1, least = 4 } = {}) {
  const size = Math.max(least, Math.ceil(unit.length / align) * align);
  const mended = size === unit.length ? unit : new Uint8Array(size);
  if (mended !== unit) mended.set(unit);
  new DataView(mended.buffer, mended.byteOffset).setUint32(0, size, true);
  return mended;
}

/** Units of so many bytes; the last one may be shorter. */
export function splitEqual(input, bytes) {
  return Array.from({ length: Math.ceil(input.length / bytes) }, (_, i) =>
    input.subarray(i * bytes, (i + 1) * bytes),
  );
}

/** @returns as much of the unit as there is room for, filled up with zeros */
export function mendEqual(unit, bytes) {
  const mended = new Uint8Array(bytes);
  mended.set(unit.subarray(0, bytes));
  return mended;
}

export function splitLines(input) {
  const units = [];
  let from = 0;
  for (let at = 0; at < input.length; at++) {
    if (input[at] !== 10) continue;
    units.push(input.subarray(from, at + 1));
    from = at + 1;
  }
  if (from < input.length) units.push(input.subarray(from));
  return units;
}

export const whole = (input) => [input];

const encoder = new TextEncoder();
export const text = (string) => encoder.encode(string);
export const hex = (string) => Uint8Array.from(Buffer.from(string, "hex"));
