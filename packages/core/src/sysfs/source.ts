/** What the tree is computed from. */
import type { ClassRegistration } from "../class-registration.js";
import type { DeviceDirectories } from "../device-directories.js";
import type { NodeRegistry } from "../node-registry.js";
import type { Subsystem } from "../subsystem.js";
import type { Uevents } from "../uevent.js";

export interface SysfsSource {
  readonly devices: DeviceDirectories;
  readonly nodes: NodeRegistry;
  readonly uevents: Uevents;
  buses(): Iterable<Subsystem>;
  classes(): Iterable<ClassRegistration>;
}

export const sysfsRoot = "/sys";
