/** Questions about a device, its regions and its interrupts, and the answers, which are the kernel's structures. */
import { Reader } from "./reader.js";
import { Writer } from "./writer.js";

/** A question that says how many bytes of answer its asker takes, and, but for the device itself, which part it asks about. */
export interface InfoQuestion {
  readonly argsz: number;
  readonly index: number;
}

export interface DeviceInfo {
  /** VFIO_DEVICE_FLAGS_… */
  readonly flags: number;
  readonly regions: number;
  readonly irqs: number;
}

const deviceInfoBytes = 16;
const regionInfoBytes = 32;
const irqInfoBytes = 16;
const ioFdsBytes = 16;

/** @throws KernelError EINVAL */
export function decodeGetInfo(body: Uint8Array): InfoQuestion {
  const reader = new Reader("DEVICE_GET_INFO", body);
  const argsz = atLeast(reader, deviceInfoBytes);
  return { argsz, index: 0 };
}

/** @throws KernelError EINVAL */
export function decodeGetRegionInfo(body: Uint8Array): InfoQuestion {
  return decodeIndexed("DEVICE_GET_REGION_INFO", body, regionInfoBytes);
}

/** @throws KernelError EINVAL */
export function decodeGetIrqInfo(body: Uint8Array): InfoQuestion {
  return decodeIndexed("DEVICE_GET_IRQ_INFO", body, irqInfoBytes);
}

/** @throws KernelError EINVAL */
export function decodeGetRegionIoFds(body: Uint8Array): InfoQuestion {
  const reader = new Reader("DEVICE_GET_REGION_IO_FDS", body);
  const argsz = atLeast(reader, ioFdsBytes);
  const flags = reader.u32();
  const index = reader.u32();
  const count = reader.u32();
  if (flags !== 0 || count !== 0) reader.refuse("flags and count must be 0");
  return { argsz, index };
}

export function encodeDeviceInfo({ flags, regions, irqs }: DeviceInfo): Uint8Array {
  return new Writer(deviceInfoBytes).u32(deviceInfoBytes).u32(flags).u32(regions).u32(irqs).bytes;
}

/** No part of the region can be reached through descriptors. */
export function encodeNoRegionIoFds(index: number): Uint8Array {
  return new Writer(ioFdsBytes).u32(ioFdsBytes).u32(0).u32(index).u32(0).bytes;
}

export function encodeIrqInfo(index: number, flags: number, count: number): Uint8Array {
  return new Writer(irqInfoBytes).u32(irqInfoBytes).u32(flags).u32(index).u32(count).bytes;
}

function decodeIndexed(what: string, body: Uint8Array, size: number): InfoQuestion {
  const reader = new Reader(what, body);
  const argsz = atLeast(reader, size);
  reader.u32();
  return { argsz, index: reader.u32() };
}

function atLeast(reader: Reader, size: number): number {
  const argsz = reader.u32();
  if (argsz < size) reader.refuse(`argsz ${argsz}, the answer has at least ${size} bytes`);
  return argsz;
}
