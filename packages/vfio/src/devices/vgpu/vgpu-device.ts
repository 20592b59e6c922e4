/** A vGPU's PCI function as a VFIO device. */
import type { Runtime } from "parhelion-core";
import type { VfioDevice } from "../../device/device.js";
import type { VfioDeviceOps } from "../../device/ops.js";
import { PciIrq, type VfioIrq } from "../../irq/irq.js";
import { PciRegion, type VfioRegion } from "../../region/region.js";
import type { VgpuBackend } from "./vgpu-backend.js";
import { VgpuFunction } from "./vgpu-function.js";
import { VGPU_BAR_BYTES, VGPU_VECTORS } from "./vgpu-registers.js";

const none: VfioRegion = { size: 0, access: "none" };

/** A vGPU can't be migrated: its state is the engine's, and that has no way to take it along. */
export function vgpuDeviceOps(
  vdev: VfioDevice,
  runtime: Runtime,
  name: string,
  backend: VgpuBackend,
): VfioDeviceOps {
  const vgpu = new VgpuFunction({
    runtime,
    name,
    backend,
    dma: vdev.dma,
    trigger: (vector) => vdev.irqs.trigger(PciIrq.MSIX, vector),
  });
  const regions = Array.from({ length: PciRegion.VGA + 1 }, () => none);
  regions[PciRegion.BAR0] = { size: VGPU_BAR_BYTES, access: "read-write" };
  regions[PciRegion.CONFIG] = { size: vgpu.config.size, access: "read-write" };
  const irqs: VfioIrq[] = Array.from({ length: PciIrq.REQ + 1 }, () => ({ count: 0 }));
  irqs[PciIrq.MSIX] = { count: VGPU_VECTORS };
  irqs[PciIrq.REQ] = { count: 1 };
  return {
    openDevice: () => vgpu.open(),
    closeDevice: () => vgpu.close(),
    regions: () => regions,
    irqs: () => irqs,
    read: (region, offset, length) =>
      region === PciRegion.CONFIG ? vgpu.config.read(offset, length) : vgpu.read(offset, length),
    write(region, offset, bytes) {
      if (region === PciRegion.CONFIG) vgpu.config.write(offset, bytes);
      else vgpu.write(offset, bytes);
    },
    reset: () => vgpu.reset(),
    request: () => void vdev.irqs.trigger(PciIrq.REQ),
  };
}
