/** A device's regions as a client sees them: by index and offset, and without what can be mapped, which it can't reach. */
import { KernelError, type WaitOptions } from "parhelion-core";
import { deviceCall } from "../../device/call.js";
import type { DeviceFile, RegionInfo } from "../../device/calls.js";
import { RegionCap, RegionFlag } from "../../region/region.js";
import { type InfoQuestion, regionInfoBytes } from "../wire/device.js";
import { Reader } from "../wire/reader.js";
import type { RegionRead, RegionWrite } from "../wire/region-access.js";
import { Writer } from "../wire/writer.js";

/** Room for any chain that a device of ours has. */
const askedBytes = 64 * 1024;
const capHeaderBytes = 8;

interface Place {
  /** In the device's file. */
  readonly offset: bigint;
  readonly size: bigint;
}

export class Regions {
  readonly #file: DeviceFile;
  readonly #places = new Map<number, Place>();

  constructor(file: DeviceFile) {
    this.#file = file;
  }

  /** The structure and, where `argsz` leaves room for it, the chain behind it. @throws KernelError EINVAL no such region */
  async info({ argsz, index }: InfoQuestion, options: WaitOptions): Promise<Uint8Array> {
    const info = await this.#ask(index, options);
    const chain = encodeChain(info);
    const size = regionInfoBytes + chain.length;
    const room = argsz >= size && chain.length > 0;
    const flags =
      (info.flags & ~(RegionFlag.MMAP | RegionFlag.CAPS)) | (chain.length > 0 ? RegionFlag.CAPS : 0);
    return new Writer(room ? size : regionInfoBytes)
      .u32(size)
      .u32(flags)
      .u32(index)
      .u32(room ? regionInfoBytes : 0)
      .u64(info.size)
      .u64(0n)
      .put(room ? chain : new Uint8Array(0)).bytes;
  }

  /** @returns as many bytes as were asked for, or fewer. @throws KernelError EINVAL, and what the device throws */
  async read({ region, offset, count }: RegionRead, options: WaitOptions): Promise<Uint8Array> {
    const at = await this.#locate(region, offset, count, options);
    if (count === 0) return new Uint8Array(0);
    return deviceCall(this.#file, "READ", { offset: at, length: count }, options);
  }

  /** @returns how many bytes were taken. @throws KernelError EINVAL, and what the device throws */
  async write({ region, offset, data }: RegionWrite, options: WaitOptions): Promise<number> {
    const at = await this.#locate(region, offset, data.length, options);
    if (data.length === 0) return 0;
    return deviceCall(this.#file, "WRITE", { offset: at, bytes: data }, options);
  }

  /** What lies beyond a region in the file is another region. */
  async #locate(region: number, offset: bigint, count: number, options: WaitOptions): Promise<bigint> {
    const known = this.#places.get(region);
    // Some regions grow.
    const place =
      known !== undefined && fits(known, offset, count) ? known : await this.#ask(region, options);
    if (fits(place, offset, count)) return place.offset + offset;
    throw new KernelError(
      "EINVAL",
      `${count} bytes at 0x${offset.toString(16)} of region ${region}, which has ${place.size}`,
    );
  }

  async #ask(index: number, options: WaitOptions): Promise<RegionInfo> {
    const info = await deviceCall(this.#file, "GET_REGION_INFO", { argsz: askedBytes, index }, options);
    this.#places.set(index, { offset: info.offset, size: info.size });
    return info;
  }
}

function fits({ size }: Place, offset: bigint, count: number): boolean {
  return offset <= size && BigInt(count) <= size - offset;
}

interface Structure {
  readonly id: number;
  readonly version: number;
  readonly data: Uint8Array;
}

function encodeChain(info: RegionInfo): Uint8Array {
  const kept = structuresOf(info).filter(({ id }) => id !== RegionCap.SPARSE_MMAP);
  const size = kept.reduce((sum, { data }) => sum + capHeaderBytes + padded(data.length), 0);
  const writer = new Writer(size);
  let end = regionInfoBytes;
  for (const [i, { id, version, data }] of kept.entries()) {
    end += capHeaderBytes + padded(data.length);
    const next = i === kept.length - 1 ? 0 : end;
    writer
      .u16(id)
      .u16(version)
      .u32(next)
      .put(data)
      .put(new Uint8Array(padded(data.length) - data.length));
  }
  return writer.bytes;
}

function padded(length: number): number {
  return Math.ceil(length / 8) * 8;
}

/** What follows the header of one is its own up to where the next one begins. */
function structuresOf({ capOffset, capabilities }: RegionInfo): readonly Structure[] {
  const structures: Structure[] = [];
  for (let at = capOffset; at !== 0 && capabilities.length > 0; ) {
    const from = at - capOffset;
    const reader = new Reader("capability chain", capabilities.subarray(from));
    const id = reader.u16();
    const version = reader.u16();
    const next = reader.u32();
    const end = next === 0 ? capabilities.length : next - capOffset;
    structures.push({ id, version, data: capabilities.subarray(from + capHeaderBytes, end) });
    if (next !== 0 && next <= at) break;
    at = next;
  }
  return structures;
}
