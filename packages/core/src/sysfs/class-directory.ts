/** /sys/class */
import type { ClassRegistration } from "../class-registration.js";
import { attributeEntry } from "./attributes.js";
import { sysfsPathOf } from "./device-directory.js";
import { directory, link, type SysfsDirectory } from "./entry.js";
import type { SysfsSource } from "./source.js";

export function classesDirectory(source: SysfsSource): SysfsDirectory {
  return directory(
    () => [...source.classes()].map(({ deviceClass }) => deviceClass.name),
    (name) => {
      for (const each of source.classes()) if (each.deviceClass.name === name) return classDirectory(each);
      return undefined;
    },
  );
}

function classDirectory(registration: ClassRegistration): SysfsDirectory {
  const { attributes } = registration;
  return directory(
    () => [...attributes.names(), ...registration.devices().map(({ name }) => name)],
    (name) => {
      const device = registration.device(name);
      return attributeEntry(attributes, name) ?? (device && link(sysfsPathOf(device)));
    },
  );
}
