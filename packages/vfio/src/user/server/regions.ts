/** A device's regions as a client sees them: by index and offset, and without what can be mapped, which it can't reach. */
import { KernelError, type WaitOptions } from "parhelion-core";
import { deviceCall } from "../../device/call.js";
import type { DeviceFile, RegionInfo } from "../../device/calls.js";
import { chain, encodeRegionInfo, parseChain, regionInfoBytes } from "../../region/layout.js";
import { RegionCap, RegionFlag } from "../../region/region.js";
import type { InfoQuestion } from "../wire/device.js";
import type { RegionRead, RegionWrite } from "../wire/region-access.js";

/** Room for any chain that a device of ours has. */
const askedBytes = 64 * 1024;

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
    const asked = await this.#ask(index, options);
    const kept = parseChain(encodeRegionInfo(asked), asked.capOffset).filter(
      ({ id }) => id !== RegionCap.SPARSE_MMAP,
    );
    const flags =
      (asked.flags & ~(RegionFlag.MMAP | RegionFlag.CAPS)) | (kept.length > 0 ? RegionFlag.CAPS : 0);
    // The offset is for mapping a descriptor, and there is none.
    return encodeRegionInfo({ ...asked, ...chain(regionInfoBytes, kept, argsz), flags, offset: 0n });
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
