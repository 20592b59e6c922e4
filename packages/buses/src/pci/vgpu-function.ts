/** The configuration space of a vGPU, as its host answers for it. */
import { ConfigModel } from "./config-model.js";
import { CONFIG_BYTES, pciHeader, VGPU_IDS, VGPU_LAYOUT, vgpuRegisters } from "./layout.js";
import type { Register } from "./register.js";

export interface VgpuFunctionInit {
  /** Instance of the vGPU's channel. */
  readonly channelInstance: string;
  /** Unique among what this host projects until it restarts. */
  readonly luid: bigint;
  /** Called when the guest says what it can do. @returns what the host can do with that */
  negotiate?(guestCapabilities: number): number;
}

export function vgpuConfigModel({ channelInstance, luid, negotiate }: VgpuFunctionInit): ConfigModel {
  let hostCapabilities = negotiate?.(0) ?? 0;
  return new ConfigModel(CONFIG_BYTES)
    .readable(pciHeader.vendorId, () => VGPU_IDS.vendorId)
    .readable(pciHeader.deviceId, () => VGPU_IDS.deviceId)
    .readable(pciHeader.classCode, () => VGPU_IDS.classCode)
    .readable(pciHeader.subsystemVendorId, () => VGPU_IDS.vendorId)
    .readable(vgpuRegisters.channelInstance as Register<string>, () => channelInstance)
    .readable(vgpuRegisters.layout as Register<number>, () => VGPU_LAYOUT)
    .readable(vgpuRegisters.luid as Register<bigint>, () => luid)
    .readable(vgpuRegisters.hostCapabilities as Register<number>, () => hostCapabilities)
    .writable(vgpuRegisters.guestCapabilities as Register<number>, (capabilities) => {
      hostCapabilities = negotiate?.(capabilities) ?? 0;
    });
}
