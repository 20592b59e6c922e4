/** Memory that the client lends to the device, and what goes to and from it by messages. */
import { Reader } from "./reader.js";
import { Writer } from "./writer.js";

export interface DmaMap {
  readonly access: "read" | "write" | "read-write";
  /** Where the mapping begins in the file that came with the message; 0 when none did. */
  readonly offset: bigint;
  readonly iova: bigint;
  /** In bytes. */
  readonly size: bigint;
}

export interface DmaUnmap {
  /** "all": whatever is mapped, without regard to the range. */
  readonly scope: "range" | "all";
  readonly iova: bigint;
  readonly size: bigint;
  /** How the answer begins: as the question did. */
  readonly flags: number;
}

const mapRead = 1;
const mapWrite = 2;
/** Of older clients: the memory can be mapped, or read and written as a file. The descriptor says so by itself. */
const mapHints = 4 | 8;
const mapBytes = 32;

const unmapDirtyBitmap = 1;
const unmapAll = 2;
const unmapBytes = 24;

/** @throws KernelError EINVAL */
export function decodeDmaMap(body: Uint8Array): DmaMap {
  const reader = new Reader("DMA_MAP", body);
  const argsz = reader.u32();
  const flags = reader.u32();
  const offset = reader.u64();
  const iova = reader.u64();
  const size = reader.u64();
  if (argsz < mapBytes) reader.refuse(`argsz ${argsz}, at least ${mapBytes} are needed`);
  if ((flags & ~(mapRead | mapWrite | mapHints)) !== 0) reader.refuse(`flags 0x${flags.toString(16)}`);
  return { access: accessOf(flags, reader), offset, iova, size };
}

function accessOf(flags: number, reader: Reader): DmaMap["access"] {
  switch (flags & (mapRead | mapWrite)) {
    case mapRead:
      return "read";
    case mapWrite:
      return "write";
    case mapRead | mapWrite:
      return "read-write";
    default:
      return reader.refuse("memory that can be neither read nor written");
  }
}

/** @throws KernelError EINVAL */
export function decodeDmaUnmap(body: Uint8Array): DmaUnmap {
  const reader = new Reader("DMA_UNMAP", body);
  const argsz = reader.u32();
  const flags = reader.u32();
  const iova = reader.u64();
  const size = reader.u64();
  if (argsz < unmapBytes) reader.refuse(`argsz ${argsz}, at least ${unmapBytes} are needed`);
  if ((flags & unmapDirtyBitmap) !== 0)
    reader.refuse("written pages are told by DEVICE_FEATURE 8 (DMA_LOGGING_REPORT), not here");
  if ((flags & ~unmapAll) !== 0) reader.refuse(`flags 0x${flags.toString(16)}`);
  const scope = flags === unmapAll ? "all" : "range";
  if (scope === "all" && (iova !== 0n || size !== 0n))
    reader.refuse("to unmap everything, address and size are 0");
  return { scope, iova, size, flags };
}

export function encodeDmaUnmapped({ flags, iova }: DmaUnmap, size: bigint): Uint8Array {
  return new Writer(unmapBytes).u32(unmapBytes).u32(flags).u64(iova).u64(size).bytes;
}

const accessBytes = 16;
/** Address and count, where the count has 4 bytes. */
const shortBytes = 12;

/** Where the data of DMA_READ and DMA_WRITE begin: behind a count of 8 bytes, or, as QEMU has it, behind one of 4. */
export type DmaLayout = "specified" | "short";

/** The question of a DMA_READ. */
export function encodeDmaRead(iova: bigint, count: number): Uint8Array {
  return new Writer(accessBytes).u64(iova).u64(BigInt(count)).bytes;
}

export function encodeDmaWrite(iova: bigint, data: Uint8Array, layout: DmaLayout): Uint8Array {
  const writer = new Writer(accessBytes + data.length).u64(iova);
  // QEMU wants the 4 bytes behind the data instead.
  if (layout === "short") return writer.u32(data.length).put(data).u32(0).bytes;
  return writer.u64(BigInt(data.length)).put(data).bytes;
}

/** The answer to a DMA_READ: exactly what was asked for. @throws KernelError EINVAL */
export function decodeDmaData(body: Uint8Array, iova: bigint, count: number, layout: DmaLayout): Uint8Array {
  const reader = new Reader("answer to DMA_READ", body);
  expect(reader, iova, count, reader.u64(), layout === "short" ? BigInt(reader.u32()) : reader.u64());
  return reader.bytes(count);
}

/**
 * Which layout the answer to a DMA_READ has. "unknown": both are possible, because zeros are where they differ. Then `at` is where in
 * the data, as far as they are short, something begins that is not zero; -1: all of them are zeros in both.
 */
export function layoutOf(
  body: Uint8Array,
  count: number,
): { readonly layout: DmaLayout | "unknown"; readonly at: number } {
  const behind = body.subarray(shortBytes);
  const at = behind.findIndex((byte) => byte !== 0);
  // The upper half of a count, or data; data, or what QEMU leaves behind them.
  const layout =
    at >= 0 && at < 4
      ? "short"
      : behind.findLastIndex((byte) => byte !== 0) >= count
        ? "specified"
        : "unknown";
  return { layout, at };
}

/**
 * The answer to a DMA_WRITE, whose count has 4 bytes in the specification and 8 in practice. QEMU's has nothing at all.
 * @throws KernelError EINVAL
 */
export function decodeDmaWritten(body: Uint8Array, iova: bigint, count: number): void {
  if (body.length === 0) return;
  const reader = new Reader("answer to DMA_WRITE", body);
  const at = reader.u64();
  expect(reader, iova, count, at, reader.left >= 8 ? reader.u64() : BigInt(reader.u32()));
}

function expect(reader: Reader, iova: bigint, count: number, at: bigint, told: bigint): void {
  if (at === iova && told === BigInt(count)) return;
  reader.refuse(`${told} bytes at 0x${at.toString(16)}, expected ${count} at 0x${iova.toString(16)}`);
}
