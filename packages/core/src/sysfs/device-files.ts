/** What the core has in every device's directory, as far as it applies to the device. */
import type { Device } from "../device.js";
import { deviceKeys, deviceUevent } from "../device-uevent.js";
import { type FixedEntries, link, type SysfsEntry, type SysfsFile, text } from "./entry.js";
import { type SysfsSource, sysfsRoot } from "./source.js";
import { ueventFile } from "./uevent-file.js";

type Entry = SysfsEntry | undefined;

export function deviceFiles({ control, uevents }: SysfsSource): FixedEntries<Device> {
  const uevent = (device: Device): Entry =>
    ueventFile(
      (action, extras) => {
        const source = deviceUevent(device, action);
        if (source !== null) uevents.send(action, source, extras);
      },
      () => deviceKeys(device, "change"),
    );
  const stateSynced = (device: Device): Entry => {
    const driver = device.bound ? device.peekDriver() : null;
    if (driver === null || (device.bus?.syncState ?? driver.syncState) === undefined) return undefined;
    return writable(
      () => (control.stateSynced(device) ? "1" : "0"),
      (text, options) => control.writeStateSynced(device, text, options),
    );
  };
  return new Map<string, (device: Device) => Entry>([
    ["uevent", uevent],
    ["dev", devFile],
    ["device", parentLink],
    ["driver", driverLink],
    ["subsystem", subsystemLink],
    ["modalias", modaliasFile],
    ["driver_override", driverOverrideFile],
    ["state_synced", stateSynced],
  ]);
}

export function sysfsPathOf(device: { readonly devpath: string }): string {
  return sysfsRoot + device.devpath;
}

/** Where the device's driver is shown: from before probe until before remove. */
export function driverOf(device: Device): string | undefined {
  const { state } = device.binding;
  return state === "probing" || state === "bound" ? device.peekDriver()?.name : undefined;
}

function writable(
  read: () => string,
  act: (...written: Parameters<NonNullable<SysfsFile["write"]>>) => Promise<void>,
): Entry {
  return {
    kind: "file",
    mode: 0o644,
    read: async () => `${read()}\n`,
    async write(...written) {
      await act(...written);
      return undefined;
    },
  };
}

function devFile({ node }: Device): Entry {
  return node?.state === "live" ? text(`${node.major}:${node.minor}`) : undefined;
}

function driverLink(device: Device): Entry {
  const driver = driverOf(device);
  return driver === undefined || device.bus === null
    ? undefined
    : link(`${sysfsRoot}/bus/${device.bus.name}/drivers/${driver}`);
}

/** Linux's shortcut from a class's device to what it belongs to. */
function parentLink(device: Device): Entry {
  return device.class === null || device.parent === null ? undefined : link(sysfsPathOf(device.parent));
}

function subsystemLink(device: Device): Entry {
  if (device.bus !== null) return link(`${sysfsRoot}/bus/${device.bus.name}`);
  return device.class === null ? undefined : link(`${sysfsRoot}/class/${device.class.name}`);
}

function modaliasFile(device: Device): Entry {
  const modalias = deviceKeys(device, "change").find(([key]) => key === "MODALIAS");
  return modalias === undefined ? undefined : text(modalias[1]);
}

function driverOverrideFile(device: Device): Entry {
  if (device.bus?.driverOverride === undefined) return undefined;
  return writable(
    () => device.driverOverride ?? "(null)",
    (text, options) => device.setDriverOverride(text, options),
  );
}
