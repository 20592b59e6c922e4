/**
 * The structures of the user interface that end in a chain of capabilities (include/uapi/linux/vfio.h), as bytes: a chain
 * either fits behind its structure whole or is left out, and `argsz` says how much would have been enough.
 */
import type { DeviceInfo, RegionInfo } from "../device/calls.js";
import type { Capability, RegionArea } from "./region.js";
import { RegionCap } from "./region.js";

/** Where a structure and its chain stand. */
export interface Chained {
  readonly argsz: number;
  readonly capOffset: number;
  readonly capabilities: Uint8Array;
}

/** id u16, version u16, next u32. */
const headerBytes = 8;

/** @param size of the structure; the chain begins behind it, at the next multiple of eight */
export function chain(size: number, capabilities: readonly Capability[], argsz: number): Chained {
  if (capabilities.length === 0) return { argsz: size, capOffset: 0, capabilities: new Uint8Array() };
  const start = aligned(size);
  const total = capabilities.reduce((sum, { data }) => sum + aligned(headerBytes + data.length), 0);
  const enough = start + total;
  if (argsz < enough) return { argsz: enough, capOffset: 0, capabilities: new Uint8Array() };
  const bytes = new Uint8Array(total);
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const [index, { id, version, data }] of capabilities.entries()) {
    const next = at + aligned(headerBytes + data.length);
    view.setUint16(at, id, true);
    view.setUint16(at + 2, version, true);
    view.setUint32(at + 4, index === capabilities.length - 1 ? 0 : start + next, true);
    bytes.set(data, at + headerBytes);
    at = next;
  }
  return { argsz: enough, capOffset: start, capabilities: bytes };
}

/** Reads a chain back, as a user does. @param bytes the structure with all behind it */
export function parseChain(bytes: Uint8Array, capOffset: number): Capability[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found: Capability[] = [];
  for (let at = capOffset; at !== 0 && at + headerBytes <= bytes.length; ) {
    const next = view.getUint32(at + 4, true);
    // A chain goes forward, or it never ends.
    const end = next > at ? next : bytes.length;
    found.push({
      id: view.getUint16(at, true),
      version: view.getUint16(at + 2, true),
      data: bytes.slice(at + headerBytes, end),
    });
    if (next <= at) break;
    at = next;
  }
  return found;
}

export function sparseMmap(areas: readonly RegionArea[]): Capability {
  const data = new Uint8Array(8 + areas.length * 16);
  const view = new DataView(data.buffer);
  view.setUint32(0, areas.length, true);
  for (const [index, { offset, size }] of areas.entries()) {
    view.setBigUint64(8 + index * 16, BigInt(offset), true);
    view.setBigUint64(16 + index * 16, BigInt(size), true);
  }
  return { id: RegionCap.SPARSE_MMAP, version: 1, data };
}

export function regionType({
  type,
  subtype,
}: {
  readonly type: number;
  readonly subtype: number;
}): Capability {
  const data = new Uint8Array(8);
  const view = new DataView(data.buffer);
  view.setUint32(0, type, true);
  view.setUint32(4, subtype, true);
  return { id: RegionCap.TYPE, version: 1, data };
}

/** struct vfio_device_info with its chain, `argsz` of the reply long at most. */
export function encodeDeviceInfo(info: DeviceInfo): Uint8Array {
  const bytes = new Uint8Array(
    info.capOffset === 0 ? deviceInfoBytes : info.capOffset + info.capabilities.length,
  );
  const view = new DataView(bytes.buffer);
  for (const [index, value] of [
    info.argsz,
    info.flags,
    info.numRegions,
    info.numIrqs,
    info.capOffset,
  ].entries()) {
    view.setUint32(index * 4, value, true);
  }
  if (info.capOffset !== 0) bytes.set(info.capabilities, info.capOffset);
  return bytes;
}

/** struct vfio_region_info with its chain. */
export function encodeRegionInfo(info: RegionInfo): Uint8Array {
  const bytes = new Uint8Array(
    info.capOffset === 0 ? regionInfoBytes : info.capOffset + info.capabilities.length,
  );
  const view = new DataView(bytes.buffer);
  for (const [index, value] of [info.argsz, info.flags, info.index, info.capOffset].entries()) {
    view.setUint32(index * 4, value, true);
  }
  view.setBigUint64(16, info.size, true);
  view.setBigUint64(24, info.offset, true);
  if (info.capOffset !== 0) bytes.set(info.capabilities, info.capOffset);
  return bytes;
}

/** struct vfio_device_info: argsz, flags, num_regions, num_irqs, cap_offset, pad. */
export const deviceInfoBytes = 24;
/** struct vfio_region_info: argsz, flags, index, cap_offset, size u64, offset u64. */
export const regionInfoBytes = 32;

function aligned(bytes: number): number {
  return Math.ceil(bytes / 8) * 8;
}
