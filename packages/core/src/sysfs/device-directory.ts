/** A device's directory: what the core says about it, its attributes, its links, its children. */
import type { Device } from "../device.js";
import type { Occupant } from "../device-directories.js";
import { attributeEntry } from "./attributes.js";
import { deviceFiles } from "./device-files.js";
import { directory, type FixedEntries, fixedNames, type SysfsDirectory, type SysfsEntry } from "./entry.js";
import { DeviceLinkEntries } from "./link-directory.js";
import type { SysfsSource } from "./source.js";

export class DeviceEntries {
  readonly #source: SysfsSource;
  readonly #fixed: FixedEntries<Device>;
  readonly #links: DeviceLinkEntries;

  constructor(source: SysfsSource) {
    this.#source = source;
    this.#fixed = deviceFiles(source);
    this.#links = new DeviceLinkEntries(source);
  }

  /** /sys/devices */
  root(): SysfsDirectory {
    return this.#between("/devices", { virtual: () => this.#virtual() });
  }

  /** There though nothing may be in it, as in Linux, where something always is. */
  #virtual(): SysfsDirectory {
    const links = this.#links.directory();
    return this.#between("/devices/virtual", { devlink: () => (this.#links.none() ? undefined : links) });
  }

  /** A directory that stands between devices. @param also what is in it besides */
  #between(
    devpath: string,
    also: Readonly<Record<string, () => SysfsDirectory | undefined>>,
  ): SysfsDirectory {
    const { devices } = this.#source;
    return directory(
      function* () {
        for (const [name, entry] of Object.entries(also)) if (entry() !== undefined) yield name;
        yield* devices.in(devpath).keys();
      },
      (name) => (Object.hasOwn(also, name) ? also[name]?.() : this.#child(devpath, name)),
    );
  }

  #child(devpath: string, name: string): SysfsEntry | undefined {
    const path = `${devpath}/${name}`;
    const occupant: Occupant | undefined = this.#source.devices.occupant(path);
    if (occupant === undefined) return undefined;
    return occupant === null ? this.#between(path, {}) : this.#device(path, occupant);
  }

  #device(devpath: string, device: Device): SysfsDirectory {
    const { attributes } = device;
    const { devices } = this.#source;
    const fixed = this.#fixed;
    const links = this.#links;
    return directory(
      function* () {
        yield* fixedNames(fixed, device);
        yield* attributes.names();
        yield* links.names(device);
        yield* devices.in(devpath).keys();
      },
      (name) =>
        fixed.get(name)?.(device) ??
        attributeEntry(attributes, name) ??
        links.entry(device, name) ??
        this.#child(devpath, name),
    );
  }
}
