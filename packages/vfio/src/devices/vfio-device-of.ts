/** From a device to what its users see of it, as one looks for vfio-dev in its directory. */
import type { Device } from "parhelion-core";
import { VfioDevice } from "../device/device.js";

/** The registered VFIO device of the one that a driver is bound to, at this moment. */
export function vfioDeviceOf(device: Device): VfioDevice | undefined {
  for (const child of device.children) if (child instanceof VfioDevice) return child;
  return undefined;
}
