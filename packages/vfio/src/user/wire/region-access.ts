/** Reads and writes of a device's regions. */
import { maxWrites, multiWriteBytes } from "./limits.js";
import { Reader } from "./reader.js";
import { Writer } from "./writer.js";

export interface RegionRead {
  readonly region: number;
  readonly offset: bigint;
  /** In bytes. */
  readonly count: number;
}

export interface RegionWrite {
  readonly region: number;
  readonly offset: bigint;
  readonly data: Uint8Array;
}

const accessBytes = 16;

/** @param most bytes that one message may ask for. @throws KernelError EINVAL */
export function decodeRegionRead(body: Uint8Array, most: number): RegionRead {
  const reader = new Reader("REGION_READ", body);
  const offset = reader.u64();
  const region = reader.u32();
  const count = reader.u32();
  if (count > most) reader.refuse(`${count} bytes at once, at most ${most} were agreed`);
  return { region, offset, count };
}

/** @throws KernelError EINVAL */
export function decodeRegionWrite(body: Uint8Array, most: number): RegionWrite {
  const reader = new Reader("REGION_WRITE", body);
  const offset = reader.u64();
  const region = reader.u32();
  const count = reader.u32();
  if (count > most) reader.refuse(`${count} bytes at once, at most ${most} were agreed`);
  return { region, offset, data: reader.bytes(count) };
}

/** @throws KernelError EINVAL */
export function decodeRegionWriteMulti(body: Uint8Array): readonly RegionWrite[] {
  const reader = new Reader("REGION_WRITE_MULTI", body);
  const count = reader.u64();
  if (count > BigInt(maxWrites)) reader.refuse(`${count} writes at once, at most ${maxWrites} are taken`);
  const writes: RegionWrite[] = [];
  for (let i = 0n; i < count; i += 1n) {
    const offset = reader.u64();
    const region = reader.u32();
    const length = reader.u32();
    const data = reader.bytes(multiWriteBytes);
    if (length > multiWriteBytes)
      reader.refuse(`write ${i} has ${length} bytes, at most ${multiWriteBytes} fit`);
    writes.push({ region, offset, data: data.subarray(0, length) });
  }
  return writes;
}

export function encodeRegionData({ region, offset }: RegionRead, data: Uint8Array): Uint8Array {
  const size = accessBytes + data.length;
  return new Writer(size).u64(offset).u32(region).u32(data.length).put(data).bytes;
}

export function encodeRegionWritten({ region, offset, data }: RegionWrite): Uint8Array {
  return new Writer(accessBytes).u64(offset).u32(region).u32(data.length).bytes;
}

export function encodeWritesDone(count: number): Uint8Array {
  return new Writer(8).u64(BigInt(count)).bytes;
}
