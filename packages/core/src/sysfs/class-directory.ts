/** /sys/class */
import type { ClassRegistration } from "../class-registration.js";
import { attributeEntry } from "./attributes.js";
import { sysfsPathOf } from "./device-files.js";
import { directory, link, type SysfsDirectory } from "./entry.js";
import { DeviceLinkEntries } from "./link-directory.js";
import type { SysfsSource } from "./source.js";

export function classesDirectory(source: SysfsSource): SysfsDirectory {
  const links = new DeviceLinkEntries(source);
  return directory(
    () => ["devlink", ...[...source.classes()].map(({ deviceClass }) => deviceClass.name)],
    (name) => {
      if (name === "devlink") return links.classDirectory();
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
