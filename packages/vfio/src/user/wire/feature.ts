/** DEVICE_FEATURE, whose data is what the kernel's structures are, and the messages that carry a migrating device's state. */
import { Reader } from "./reader.js";
import { Writer } from "./writer.js";

export interface FeatureCall {
  readonly index: number;
  readonly argsz: number;
  /** As it came: an answer repeats it. */
  readonly flags: number;
  /** "probe": whether `methods` are there; else the one that is called. */
  readonly action: "get" | "set" | "probe";
  readonly methods: { readonly get: boolean; readonly set: boolean };
  readonly data: Uint8Array;
}

const indexMask = 0xffff;
const methodGet = 1 << 16;
const methodSet = 1 << 17;
const probe = 1 << 18;
const headBytes = 8;

/** @throws KernelError EINVAL */
export function decodeFeature(body: Uint8Array): FeatureCall {
  const reader = new Reader("DEVICE_FEATURE", body);
  const argsz = reader.u32();
  const flags = reader.u32();
  if (argsz < headBytes) reader.refuse(`argsz ${argsz}, at least ${headBytes} are needed`);
  if ((flags & ~(indexMask | methodGet | methodSet | probe)) !== 0)
    reader.refuse(`flags 0x${(flags >>> 0).toString(16)}`);
  const methods = { get: (flags & methodGet) !== 0, set: (flags & methodSet) !== 0 };
  const call = { index: flags & indexMask, argsz, flags, methods, data: reader.bytes(reader.left) };
  if ((flags & probe) !== 0) return { ...call, action: "probe" };
  if (methods.get === methods.set) reader.refuse("exactly one of GET and SET is expected, or PROBE");
  return { ...call, action: methods.get ? "get" : "set" };
}

/** @param argsz bytes that the whole answer would have; default: what is given */
export function encodeFeature(flags: number, data: Uint8Array, argsz = headBytes + data.length): Uint8Array {
  return new Writer(headBytes + data.length).u32(argsz).u32(flags).put(data).bytes;
}

/** @param most bytes that one message may ask for. @returns how many are wanted. @throws KernelError EINVAL */
export function decodeMigrationRead(body: Uint8Array, most: number): number {
  const reader = new Reader("MIG_DATA_READ", body);
  const argsz = reader.u32();
  const size = reader.u32();
  if (argsz < headBytes) reader.refuse(`argsz ${argsz}, at least ${headBytes} are needed`);
  if (size > most) reader.refuse(`${size} bytes at once, at most ${most} were agreed`);
  return size;
}

/** @throws KernelError EINVAL */
export function decodeMigrationWrite(body: Uint8Array, most: number): Uint8Array {
  const reader = new Reader("MIG_DATA_WRITE", body);
  const argsz = reader.u32();
  const size = reader.u32();
  if (argsz < headBytes) reader.refuse(`argsz ${argsz}, at least ${headBytes} are needed`);
  if (size > most) reader.refuse(`${size} bytes at once, at most ${most} were agreed`);
  return reader.bytes(size);
}

/**
 * As long as was asked for, whatever there is: libvfio-user's client takes no other. `size` says what of it counts.
 * @param asked bytes, at least those of `data`
 */
export function encodeMigrationData(data: Uint8Array, asked: number): Uint8Array {
  return new Writer(headBytes + asked)
    .u32(headBytes + data.length)
    .u32(data.length)
    .put(data).bytes;
}
