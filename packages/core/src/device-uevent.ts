/** A device's own uevent keys, in the kernel's order (drivers/base/core.c, dev_uevent). */
import type { Device } from "./device.js";
import type { UeventAction, UeventKeys, UeventSource } from "./uevent.js";

/** Null for a device with neither bus nor class: nobody is told about it. */
export function deviceUevent(device: Device, action: UeventAction): UeventSource | null {
  const subsystem = device.bus?.name ?? device.class?.name;
  if (subsystem === undefined) return null;
  const keys: (readonly [string, string])[] = [];
  const { node } = device;
  if (node !== null && node.minor !== null) {
    keys.push(["MAJOR", String(node.major)], ["MINOR", String(node.minor)], ["DEVNAME", node.name]);
    if (node.mode !== null) keys.push(["DEVMODE", `0${node.mode.toString(8)}`]);
  }
  if (device.devtype !== null) keys.push(["DEVTYPE", device.devtype]);
  if (device.driver !== null) keys.push(["DRIVER", device.driver.name]);
  keys.push(...ask(device, device.bus), ...ask(device, device.class));
  return {
    devpath: device.devpath,
    subsystem,
    // Whoever loads drivers by MODALIAS must not load one because a driver has just left.
    keys: action === "unbind" ? keys.filter(([key]) => key !== "MODALIAS") : keys,
  };
}

/** The keys of a bus or class. An event without them is better than a binding without its event. */
function ask(
  device: Device,
  owner: { readonly name: string; uevent?(device: Device): UeventKeys } | null,
): UeventKeys {
  try {
    return owner?.uevent?.(device) ?? [];
  } catch (error) {
    device.runtime.log("error", "uevent.keys-failed", { device: device.devpath, owner: owner?.name, error });
    return [];
  }
}
