/** A device's directory: what the core says about it, its attributes, its children. */
import type { Device } from "../device.js";
import type { Occupant } from "../device-directories.js";
import { deviceKeys, deviceUevent } from "../device-uevent.js";
import { attributeEntry } from "./attributes.js";
import {
  directory,
  type FixedEntries,
  fixedNames,
  link,
  type SysfsDirectory,
  type SysfsEntry,
} from "./entry.js";
import { type SysfsSource, sysfsRoot } from "./source.js";
import { ueventFile } from "./uevent-file.js";

type Entry = SysfsEntry | undefined;

export class DeviceEntries {
  readonly #source: SysfsSource;
  readonly #fixed: FixedEntries<Device>;

  constructor(source: SysfsSource) {
    this.#source = source;
    this.#fixed = new Map<string, (device: Device) => Entry>([
      ["uevent", (device) => this.#uevent(device)],
      ["dev", devFile],
      ["driver", driverLink],
      ["subsystem", subsystemLink],
      ["modalias", modaliasFile],
    ]);
  }

  /** The directory at a path from /devices: of a device, or one that stands between devices. */
  at(devpath: string, occupant: Occupant): SysfsDirectory {
    const { devices } = this.#source;
    const childAt = (name: string): SysfsDirectory | undefined => {
      const path = `${devpath}/${name}`;
      const child = devices.occupant(path);
      return child === undefined ? undefined : this.at(path, child);
    };
    if (occupant === null) return directory(() => devices.in(devpath).keys(), childAt);
    const { attributes } = occupant;
    const fixed = this.#fixed;
    return directory(
      function* () {
        yield* fixedNames(fixed, occupant);
        yield* attributes.names();
        yield* devices.in(devpath).keys();
      },
      (name) => fixed.get(name)?.(occupant) ?? attributeEntry(attributes, name) ?? childAt(name),
    );
  }

  #uevent(device: Device): Entry {
    return ueventFile(
      (action, extras) => {
        const source = deviceUevent(device, action);
        if (source !== null) this.#source.uevents.send(action, source, extras);
      },
      () => deviceKeys(device, "change"),
    );
  }
}

export function sysfsPathOf(device: { readonly devpath: string }): string {
  return sysfsRoot + device.devpath;
}

/** Where the device's driver is shown: from before probe until before remove. */
export function driverOf(device: Device): string | undefined {
  const { state } = device.binding;
  return state === "probing" || state === "bound" ? device.peekDriver()?.name : undefined;
}

function text(value: string): Entry {
  return { kind: "file", mode: 0o444, read: async () => `${value}\n` };
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

function subsystemLink(device: Device): Entry {
  if (device.bus !== null) return link(`${sysfsRoot}/bus/${device.bus.name}`);
  return device.class === null ? undefined : link(`${sysfsRoot}/class/${device.class.name}`);
}

function modaliasFile(device: Device): Entry {
  const modalias = deviceKeys(device, "change").find(([key]) => key === "MODALIAS");
  return modalias === undefined ? undefined : text(modalias[1]);
}
