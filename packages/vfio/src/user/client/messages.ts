/** What a client sends after a header, and what it finds after the header of an answer. All decoders throw EINVAL for what can't be. */
import type { DeviceInfo, IrqInfo, RegionInfo } from "../../device/calls.js";
import type { MapAccess } from "../../device/open-device.js";
import { Reader } from "../wire/reader.js";
import { Writer } from "../wire/writer.js";

const deviceInfoBytes = 16;
const regionInfoBytes = 32;
const irqInfoBytes = 16;
const accessFlags: Readonly<Record<MapAccess, number>> = { read: 1, write: 2, "read-write": 3 };
const unmapAll = 2;

export function encodeGetInfo(argsz: number): Uint8Array {
  return new Writer(deviceInfoBytes).u32(argsz).u32(0).u32(0).u32(0).bytes;
}

export function decodeInfo(body: Uint8Array): DeviceInfo {
  const reader = new Reader("answer to DEVICE_GET_INFO", body);
  reader.u32();
  const [flags, numRegions, numIrqs] = [reader.u32(), reader.u32(), reader.u32()];
  // The protocol's structure has no place for capabilities.
  return { argsz: deviceInfoBytes, flags, numRegions, numIrqs, capOffset: 0, capabilities: new Uint8Array() };
}

export function encodeGetRegionInfo(argsz: number, index: number): Uint8Array {
  return new Writer(regionInfoBytes).u32(argsz).u32(0).u32(index).u32(0).u64(0n).u64(0n).bytes;
}

/** @param offset where the client puts the region: the server's is for mapping a descriptor */
export function decodeRegionInfo(body: Uint8Array, asked: number, offset: bigint): RegionInfo {
  const reader = new Reader("answer to DEVICE_GET_REGION_INFO", body);
  const [argsz, flags, index, capOffset] = [reader.u32(), reader.u32(), reader.u32(), reader.u32()];
  const size = reader.u64();
  if (index !== asked) reader.refuse(`it is about region ${index}, and ${asked} was asked for`);
  // Behind the structure, or nowhere: a server says how much would do even where it gives no chain.
  const start = capOffset >= regionInfoBytes && capOffset < body.length ? capOffset : 0;
  const capabilities = start === 0 ? new Uint8Array() : body.slice(start);
  return { argsz, flags, index, capOffset: start, size, offset, capabilities };
}

export function encodeGetIrqInfo(argsz: number, index: number): Uint8Array {
  return new Writer(irqInfoBytes).u32(argsz).u32(0).u32(index).u32(0).bytes;
}

export function decodeIrqInfo(body: Uint8Array, asked: number): IrqInfo {
  const reader = new Reader("answer to DEVICE_GET_IRQ_INFO", body);
  reader.u32();
  const [flags, index, count] = [reader.u32(), reader.u32(), reader.u32()];
  if (index !== asked) reader.refuse(`it is about index ${index}, and ${asked} was asked for`);
  return { argsz: irqInfoBytes, flags, index, count };
}

export interface IrqsMessage {
  readonly flags: number;
  readonly index: number;
  readonly start: number;
  readonly count: number;
  readonly data?: Uint8Array;
}

export function encodeSetIrqs(message: IrqsMessage): Uint8Array {
  const { flags, index, start, count, data = new Uint8Array() } = message;
  const size = 20 + data.length;
  return new Writer(size).u32(size).u32(flags).u32(index).u32(start).u32(count).put(data).bytes;
}

/** The question of a REGION_READ. */
export function encodeRegionRead(region: number, offset: bigint, count: number): Uint8Array {
  return new Writer(16).u64(offset).u32(region).u32(count).bytes;
}

export function encodeRegionWrite(region: number, offset: bigint, data: Uint8Array): Uint8Array {
  return new Writer(16 + data.length).u64(offset).u32(region).u32(data.length).put(data).bytes;
}

/** At most what was asked for. */
export function decodeRegionData(body: Uint8Array, most: number): Uint8Array {
  const reader = new Reader("answer to REGION_READ", body);
  reader.u64();
  reader.u32();
  const count = reader.u32();
  if (count > most) reader.refuse(`${count} bytes, and ${most} were asked for`);
  return reader.bytes(count);
}

/** @returns how many bytes were taken */
export function decodeRegionWritten(body: Uint8Array, most: number): number {
  const reader = new Reader("answer to REGION_WRITE", body);
  reader.u64();
  reader.u32();
  const count = reader.u32();
  if (count > most) reader.refuse(`${count} bytes were taken, and ${most} were sent`);
  return count;
}

export interface SmallWrite {
  readonly region: number;
  readonly offset: bigint;
  /** At most 8 bytes. */
  readonly bytes: Uint8Array;
}

export const smallWriteBytes = 24;

export function encodeWrites(writes: readonly SmallWrite[]): Uint8Array {
  const writer = new Writer(8 + writes.length * smallWriteBytes).u64(BigInt(writes.length));
  for (const { region, offset, bytes } of writes) {
    const data = new Uint8Array(8);
    data.set(bytes);
    writer.u64(offset).u32(region).u32(bytes.length).put(data);
  }
  return writer.bytes;
}

/** @returns how many were done */
export function decodeWritesDone(body: Uint8Array, most: number): number {
  const reader = new Reader("answer to REGION_WRITE_MULTI", body);
  const count = reader.u64();
  if (count > BigInt(most)) reader.refuse(`${count} writes were done, and ${most} were sent`);
  return Number(count);
}

export function encodeDmaMap(iova: bigint, size: bigint, access: MapAccess): Uint8Array {
  return new Writer(32).u32(32).u32(accessFlags[access]).u64(0n).u64(iova).u64(size).bytes;
}

/** @param range null: everything */
export function encodeDmaUnmap(range: { readonly iova: bigint; readonly size: bigint } | null): Uint8Array {
  const { iova, size } = range ?? { iova: 0n, size: 0n };
  return new Writer(24)
    .u32(24)
    .u32(range === null ? unmapAll : 0)
    .u64(iova)
    .u64(size).bytes;
}

export interface DmaQuestion {
  readonly iova: bigint;
  readonly count: number;
  /** Of a DMA_WRITE. */
  readonly data: Uint8Array;
}

/** @param most bytes that one message may move */
export function decodeDmaQuestion(
  command: "DMA_READ" | "DMA_WRITE",
  body: Uint8Array,
  most: number,
): DmaQuestion {
  const reader = new Reader(command, body);
  const iova = reader.u64();
  const count = reader.u64();
  if (count > BigInt(most)) reader.refuse(`${count} bytes at once, at most ${most} were agreed`);
  const data = command === "DMA_WRITE" ? reader.bytes(Number(count)) : new Uint8Array();
  return { iova, count: Number(count), data };
}

export function encodeDmaData({ iova, count }: DmaQuestion, data: Uint8Array): Uint8Array {
  return new Writer(16 + data.length).u64(iova).u64(BigInt(count)).put(data).bytes;
}

export function decodeFeatureData(body: Uint8Array): Uint8Array {
  const reader = new Reader("answer to DEVICE_FEATURE", body);
  reader.u32();
  reader.u32();
  return reader.bytes(reader.left);
}

export function encodeMigrationRead(size: number): Uint8Array {
  return new Writer(8).u32(8 + size).u32(size).bytes;
}

export function decodeMigrationData(body: Uint8Array, most: number): Uint8Array {
  const reader = new Reader("answer to MIG_DATA_READ", body);
  reader.u32();
  const size = reader.u32();
  if (size > most) reader.refuse(`${size} bytes, and ${most} were asked for`);
  return reader.bytes(size);
}

export function encodeMigrationWrite(data: Uint8Array): Uint8Array {
  return new Writer(8 + data.length)
    .u32(8 + data.length)
    .u32(data.length)
    .put(data).bytes;
}
