/** A device's own uevent keys, in the kernel's order (drivers/base/core.c, dev_uevent). */
import type { Device } from "./device.js";
import type { UeventAction, UeventKeys, UeventSource } from "./uevent.js";

/** Null for a device with neither bus nor class, or whose uevents are suppressed: nobody is told about it. */
export function deviceUevent(device: Device, action: UeventAction): UeventSource | null {
  const subsystem = device.bus?.name ?? device.class?.name;
  if (subsystem === undefined || device.uevents === "suppressed") return null;
  return { devpath: device.devpath, subsystem, keys: deviceKeys(device, action) };
}

/** What `action` would be told with, besides what every event has. Empty for a device with neither bus nor class. */
export function deviceKeys(device: Device, action: UeventAction): UeventKeys {
  if (device.bus === null && device.class === null) return [];
  const keys: (readonly [string, string])[] = nodeKeys(device);
  if (device.devtype !== null) keys.push(["DEVTYPE", device.devtype]);
  const driver = device.peekDriver();
  if (driver !== null) keys.push(["DRIVER", driver.name]);
  keys.push(...ask(device, device.bus), ...ask(device, device.class));
  // Whoever loads drivers by MODALIAS must not load one because a driver has just left.
  return action === "unbind" ? keys.filter(([key]) => key !== "MODALIAS") : keys;
}

function nodeKeys({ node }: Device): (readonly [string, string])[] {
  if (node === null || node.minor === null) return [];
  const keys: (readonly [string, string])[] = [
    ["MAJOR", String(node.major)],
    ["MINOR", String(node.minor)],
    ["DEVNAME", node.name],
  ];
  // As Linux does it: what is root's, or the default, is not said.
  if (node.mode !== null && node.mode !== 0) keys.push(["DEVMODE", `0${node.mode.toString(8)}`]);
  if (node.uid !== 0) keys.push(["DEVUID", String(node.uid)]);
  if (node.gid !== 0) keys.push(["DEVGID", String(node.gid)]);
  return keys;
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
