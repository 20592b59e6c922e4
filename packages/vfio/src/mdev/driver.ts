/**
 * The driver that makes VFIO devices of mediated devices: bound by hand only, as all drivers of mdevs are, and chosen by
 * the mdev's use. What the device does is said by whoever provides the mdev's kind.
 */

import type { MdevDevice, MdevDriver } from "parhelion-buses";
import type { Bus } from "parhelion-core";
import { VfioDevice, type VfioDeviceInit } from "../device/device.js";
import type { Vfio } from "../vfio.js";

export interface VfioMdevDriverInit<S> {
  /** The use that the mdev's parent allows. */
  readonly name: string;
  /** The mdev bus. */
  readonly bus: Bus;
  /** What is made of an mdev. Throws to refuse: ENODEV says that it is of another kind. */
  device(mdev: MdevDevice<S>): Omit<VfioDeviceInit, "parent"> | Promise<Omit<VfioDeviceInit, "parent">>;
  /** The device is registered: users may have come. What must be seen to before belongs into `device`. */
  registered?(mdev: MdevDevice<S>, device: VfioDevice): void;
  /** The device was unregistered; nobody has it open. */
  unregistered?(mdev: MdevDevice<S>, device: VfioDevice): void | Promise<void>;
}

export function createVfioMdevDriver<S = unknown>(
  vfio: Vfio,
  init: VfioMdevDriverInit<S>,
): MdevDriver<S, VfioDevice> {
  return {
    name: init.name,
    bus: init.bus,
    async probe(mdev) {
      const device = new VfioDevice(vfio, { ...(await init.device(mdev)), parent: mdev });
      try {
        await vfio.register(device, { iommu: "emulated" });
      } catch (error) {
        device.put();
        throw error;
      }
      init.registered?.(mdev, device);
      return device;
    },
    async remove(mdev, device) {
      await vfio.unregister(device);
      await init.unregistered?.(mdev, device);
      device.put();
    },
  };
}
