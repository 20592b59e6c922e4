/** What is where in a configuration space, as tables of registers. */
import { guid, type ReadableRegister, unsigned, unsigned64, type WritableRegister } from "./register.js";

/** The head that every function has (type 0 header of PCI Local Bus 3.0, section 6.1). */
export const pciHeader = {
  vendorId: unsigned(2)("vendorId", 0x00),
  deviceId: unsigned(2)("deviceId", 0x02),
  command: unsigned(2)("command", 0x04),
  status: unsigned(2)("status", 0x06),
  revisionId: unsigned(1)("revisionId", 0x08),
  classCode: unsigned(3)("classCode", 0x09),
  headerType: unsigned(1)("headerType", 0x0e),
  subsystemVendorId: unsigned(2)("subsystemVendorId", 0x2c),
  subsystemId: unsigned(2)("subsystemId", 0x2e),
} as const;

/**
 * The vendor's part of a vGPU's space, from 192. It answers by host code, it is not memory: at 212 the guest first writes what
 * it can do, and afterwards reads there by what number the host knows the vGPU.
 */
export const vgpuRegisters = {
  /** Instance of the vGPU's VMBus channel: the whole GUID pairs the two. */
  channelInstance: guid("channelInstance", 192) as ReadableRegister<string>,
  /** Names the layout of this table, 40, and nothing else: what works is told by the capabilities. */
  layout: unsigned(4)("layout", 208) as ReadableRegister<number>,
  /** Bits of what the guest can do. Written before anything is read. */
  guestCapabilities: unsigned(4)("guestCapabilities", 212) as WritableRegister<number>,
  /** Opaque, valid until the function goes; read again at every probe. */
  luid: unsigned64("luid", 212) as ReadableRegister<bigint>,
  /** Bits of what the host can do, given what the guest can. */
  hostCapabilities: unsigned(4)("hostCapabilities", 220) as ReadableRegister<number>,
} as const;

export const VGPU_LAYOUT = 40;

/** The vGPU's ids: Microsoft's virtual render device; class display controller, 3D. */
export const VGPU_IDS = { vendorId: 0x1414, deviceId: 0x008e, classCode: 0x03_02_00 } as const;

/** Size of a conventional configuration space; a vGPU needs no extended one. */
export const CONFIG_BYTES = 256;
