/** /sys/bus/B and /sys/bus/B/drivers/D. */

import type { Bus } from "../bus.js";
import type { DriverRegistration } from "../driver-registration.js";
import type { Subsystem } from "../subsystem.js";
import { attributeEntry } from "./attributes.js";
import { driverOf, sysfsPathOf } from "./device-files.js";
import {
  directory,
  type FixedEntries,
  fixedNames,
  link,
  type SysfsDirectory,
  type SysfsEntry,
  trigger,
} from "./entry.js";
import type { SysfsSource } from "./source.js";
import { ueventFile } from "./uevent-file.js";

type Entry = SysfsEntry | undefined;

class BusEntries {
  readonly #source: SysfsSource;
  readonly #bus: FixedEntries<Subsystem>;
  readonly #driver: FixedEntries<DriverRegistration>;

  constructor(source: SysfsSource) {
    this.#source = source;
    this.#bus = new Map<string, (bus: Subsystem) => Entry>([
      ["uevent", (bus) => this.#busUevent(bus)],
      ["drivers_probe", ({ bus }) => this.#driversProbe(bus)],
      ["drivers_autoprobe", (bus) => this.#driversAutoprobe(bus)],
      ["devices", (bus) => this.#devices(bus)],
      ["drivers", (bus) => this.#drivers(bus)],
    ]);
    this.#driver = new Map<string, (registration: DriverRegistration) => Entry>([
      ["uevent", (registration) => this.#driverUevent(registration)],
      ["bind", (registration) => this.#byHand("bind", registration)],
      ["unbind", (registration) => this.#byHand("unbind", registration)],
    ]);
  }

  of(bus: Subsystem): SysfsDirectory {
    const fixed = this.#bus;
    const { attributes } = bus;
    return directory(
      function* () {
        yield* fixedNames(fixed, bus);
        yield* attributes.names();
      },
      (name) => fixed.get(name)?.(bus) ?? attributeEntry(attributes, name),
    );
  }

  #devices(bus: Subsystem): SysfsDirectory {
    return directory(
      () => bus.devices().map(({ name }) => name),
      (name) => {
        const device = bus.device(name);
        return device === undefined ? undefined : link(sysfsPathOf(device));
      },
    );
  }

  #drivers(bus: Subsystem): SysfsDirectory {
    return directory(
      () => [...bus.eachDriver()].map(({ driver }) => driver.name),
      (name) => {
        const registration = bus.driver(name);
        return registration === undefined ? undefined : this.#driverDirectory(bus, registration);
      },
    );
  }

  #driverDirectory(bus: Subsystem, registration: DriverRegistration): SysfsDirectory {
    const fixed = this.#driver;
    const { attributes } = registration;
    return directory(
      function* () {
        yield* fixedNames(fixed, registration);
        yield* attributes.names();
        for (const device of registration.bindings.devices()) {
          if (bus.device(device.name) === device && driverOf(device) === registration.driver.name) {
            yield device.name;
          }
        }
      },
      (name) => {
        const own = fixed.get(name)?.(registration) ?? attributeEntry(attributes, name);
        if (own !== undefined) return own;
        const device = bus.device(name);
        return device === undefined || driverOf(device) !== registration.driver.name
          ? undefined
          : link(sysfsPathOf(device));
      },
    );
  }

  #busUevent({ bus }: Subsystem): Entry {
    const source = { devpath: `/bus/${bus.name}`, subsystem: "bus", keys: [] };
    return ueventFile((action, extras) => this.#source.uevents.send(action, source, extras));
  }

  #driversProbe(bus: Bus): Entry {
    const { control } = this.#source;
    return trigger((name, options) => control.driversProbe(bus, name, options));
  }

  #driversAutoprobe(subsystem: Subsystem): Entry {
    return {
      kind: "file",
      mode: 0o644,
      read: async () => (subsystem.autoprobe === "on" ? "1\n" : "0\n"),
      write: async (text) => {
        this.#source.control.setDriversAutoprobe(subsystem.bus, text);
        return undefined;
      },
    };
  }

  #byHand(what: "bind" | "unbind", { attributes, driver }: DriverRegistration): Entry {
    if (driver.suppressBindAttrs === true || attributes.state !== "visible") return undefined;
    const { control } = this.#source;
    return trigger((name, options) => control[what](driver, name, options));
  }

  /** Not there while the driver is still meeting the devices there are. */
  #driverUevent(registration: DriverRegistration): Entry {
    if (registration.attributes.state !== "visible") return undefined;
    const source = { devpath: registration.devpath, subsystem: "drivers", keys: [] };
    return ueventFile((action, extras) => {
      // Whether its end is still to be told goes by what was told last, whoever asked for it.
      if (action === "add") registration.announced = "yes";
      if (action === "remove") registration.announced = "no";
      this.#source.uevents.send(action, source, extras);
    });
  }
}

/** /sys/bus */
export function busesDirectory(source: SysfsSource): SysfsDirectory {
  const entries = new BusEntries(source);
  return directory(
    () => [...source.buses()].map(({ bus }) => bus.name),
    (name) => {
      for (const bus of source.buses()) if (bus.bus.name === name) return entries.of(bus);
      return undefined;
    },
  );
}
