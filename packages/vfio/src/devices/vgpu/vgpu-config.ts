/** The configuration space of a vGPU as a VFIO device: the vendor's part as every vGPU has it, and what a driver outside needs besides. */
import type { ConfigModel } from "parhelion-buses";
import { CONFIG_BYTES, VGPU_IDS, vgpuRegisters } from "parhelion-buses";
import { PciConfig } from "../pci/config.js";
import { PciCapability, PciCommand, PciOffset } from "../pci/config-offsets.js";
import { VGPU_BAR_BYTES, VGPU_VECTORS, VgpuPage } from "./vgpu-registers.js";

const msixAt = 0x40;
const vendorAt = 0x50;
/** In the vendor's capability: the base address of the registers. */
const registerBar = 0;
/** From here on the vendor's registers answer by host code. */
const vendorPart = vgpuRegisters.channelInstance.offset;

/** @param model answers for the vendor's part */
export function vgpuConfig(model: ConfigModel): PciConfig {
  const command =
    PciCommand.memorySpace | PciCommand.busMaster | PciCommand.systemError | PciCommand.interruptsOff;
  return new PciConfig()
    .define(PciOffset.vendorId, 2, VGPU_IDS.vendorId)
    .define(PciOffset.deviceId, 2, VGPU_IDS.deviceId)
    .define(PciOffset.command, 2, 0, command)
    .define(PciOffset.status, 2, 0)
    .define(PciOffset.classCode, 1, VGPU_IDS.classCode & 0xff)
    .define(PciOffset.classCode + 1, 2, VGPU_IDS.classCode >>> 8)
    .define(PciOffset.cacheLine, 1, 0, 0xff)
    .define(PciOffset.subsystemVendorId, 2, VGPU_IDS.vendorId)
    .define(PciOffset.subsystemId, 2, VGPU_IDS.deviceId)
    .define(PciOffset.interruptLine, 1, 0, 0xff)
    .bar({ index: registerBar, kind: "memory64", size: VGPU_BAR_BYTES })
    .capability(PciCapability.msix, msixAt, [
      { at: 2, length: 2, value: VGPU_VECTORS - 1, writable: 0xc000 },
      { at: 4, length: 4, value: VgpuPage.msixTable | registerBar },
      { at: 8, length: 4, value: VgpuPage.msixPending | registerBar },
    ])
    .capability(PciCapability.vendor, vendorAt, [
      { at: 2, length: 1, value: 8 },
      { at: 3, length: 1, value: registerBar },
      { at: 4, length: 4, value: VgpuPage.registers },
    ])
    .window(vendorPart, CONFIG_BYTES - vendorPart, {
      read: (offset, length) => model.read(vendorPart + offset, length),
      write(offset, bytes) {
        const { guestCapabilities } = vgpuRegisters;
        // A write that no register takes is lost, as on any bus.
        if (vendorPart + offset === guestCapabilities.offset && bytes.length === guestCapabilities.length)
          model.write(vendorPart + offset, bytes);
      },
    });
}
