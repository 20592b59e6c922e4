/** A device's driver override: which driver alone may have it, and what that does to matching. */
import type { Device } from "./device.js";
import type { Driver } from "./driver.js";
import { KernelError } from "./error.js";

/** The attribute's page, less the newline and the NUL (include/linux/device/driver.h, driver_set_override). */
const longestOverride = 4094;

/**
 * The driver's name in what was written: up to the first newline or NUL; null, nothing, when that is empty.
 * @throws KernelError EINVAL 4095 bytes or more
 */
export function parseOverride(text: string): string | null {
  const bytes = new TextEncoder().encode(text).length;
  if (bytes > longestOverride) {
    throw new KernelError("EINVAL", `a driver override of ${bytes} bytes; at most ${longestOverride} fit`);
  }
  const [name = ""] = text.split(/[\n\0]/, 1);
  return name === "" ? null : name;
}

/** Whether they match, the device's override included. @throws what the bus's match throws */
export function matches(device: Device, driver: Driver): boolean {
  const { bus } = driver;
  const override = device.driverOverride;
  if (override === null || bus.driverOverride === undefined) return bus.match(device, driver);
  if (override !== driver.name) return false;
  return bus.driverOverride === "name" || bus.match(device, driver);
}
