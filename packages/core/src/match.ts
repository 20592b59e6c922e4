/** Which driver may have which device: what the bus says, unless the device has an override. */
import type { Device } from "./device.js";
import type { Driver } from "./driver.js";

/** Whether they match, the device's override included. @throws what the bus's match throws */
export function matches(device: Device, driver: Driver): boolean {
  const { bus } = driver;
  const override = device.driverOverride;
  if (override === null || bus.driverOverride === undefined) return bus.match(device, driver);
  if (override !== driver.name) return false;
  return bus.driverOverride === "name" || bus.match(device, driver);
}
