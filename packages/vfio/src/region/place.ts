/** Where in a device's file its regions are, and what of them may be touched. */
import { KernelError, type MapRange } from "parhelion-core";
import type { RegionInfo } from "../device/calls.js";
import { chain, regionInfoBytes, regionType, sparseMmap } from "./layout.js";
import { type Capability, RegionFlag, type VfioRegion } from "./region.js";

/** A range of one region. */
export interface Place {
  readonly index: number;
  readonly offset: number;
}

export class RegionPlaces {
  readonly #name: string;
  readonly #shift: bigint;
  readonly #regions: () => readonly VfioRegion[];

  /** @param shift the offset of region i is i shifted left by this */
  constructor(name: string, shift: number, regions: () => readonly VfioRegion[]) {
    this.#name = name;
    this.#shift = BigInt(shift);
    this.#regions = regions;
  }

  get count(): number {
    return this.#regions().length;
  }

  /** @throws KernelError EINVAL argsz, no such region */
  info(argsz: number, index: number): RegionInfo {
    const region = this.#regions()[index];
    if (argsz < regionInfoBytes || region === undefined) {
      throw new KernelError(
        "EINVAL",
        `GET_REGION_INFO of ${this.#name}: argsz ${argsz} (at least ${regionInfoBytes}), index ${index} of ${this.count}`,
      );
    }
    const capabilities = capabilitiesOf(region);
    return {
      ...chain(regionInfoBytes, capabilities, argsz),
      flags: flagsOf(region) | (capabilities.length > 0 ? RegionFlag.CAPS : 0),
      index,
      size: BigInt(region.size),
      offset: BigInt(index) << this.#shift,
    };
  }

  /** @throws KernelError EINVAL no such region, not all of it within, or not to be read or written like this */
  find(what: "read" | "write", offset: bigint, length: number): Place {
    const [place, region] = this.#at(what, offset, length);
    if (region.access === "read-write" || region.access === what) return place;
    throw new KernelError(
      "EINVAL",
      `${what} of region ${place.index} of ${this.#name}, which is for ${region.access}`,
    );
  }

  /** @throws KernelError EINVAL as `find`, or it can't be mapped there */
  findMap({ offset, length, access = "read-write" }: MapRange): Place {
    const [place, region] = this.#at("map", BigInt(offset), length);
    const areas = region.mmap === "whole" ? [{ offset: 0, size: region.size }] : (region.mmap ?? []);
    const isInside = areas.some(
      (area) => area.offset <= place.offset && place.offset + length <= area.offset + area.size,
    );
    const readable = region.access === "read" || region.access === "read-write";
    if (isInside && readable && (access === "read" || region.access === "read-write")) return place;
    throw new KernelError(
      "EINVAL",
      `map ${length} bytes at ${place.offset} of region ${place.index} of ${this.#name}`,
    );
  }

  #at(what: string, offset: bigint, length: number): [Place, VfioRegion] {
    const index = offset < 0n ? -1 : Number(offset >> this.#shift);
    const within = Number(offset & ((1n << this.#shift) - 1n));
    const region = this.#regions()[index];
    if (region !== undefined && Number.isInteger(length) && length >= 0 && within + length <= region.size) {
      return [{ index, offset: within }, region];
    }
    const size = region === undefined ? "which does not exist" : `which has ${region.size}`;
    throw new KernelError(
      "EINVAL",
      `${what} ${length} bytes at ${within} of region ${index} of ${this.#name}, ${size}`,
    );
  }
}

function capabilitiesOf({ mmap, type, capabilities = [] }: VfioRegion): Capability[] {
  const own: Capability[] = [];
  if (mmap !== undefined && mmap !== "whole") own.push(sparseMmap(mmap));
  if (type !== undefined) own.push(regionType(type));
  return [...own, ...capabilities];
}

function flagsOf({ access, mmap }: VfioRegion): number {
  return (
    (access === "read" || access === "read-write" ? RegionFlag.READ : 0) |
    (access === "write" || access === "read-write" ? RegionFlag.WRITE : 0) |
    (mmap === undefined ? 0 : RegionFlag.MMAP)
  );
}
