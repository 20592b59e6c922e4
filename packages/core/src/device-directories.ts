/**
 * Where the registered devices stand: the tree under /devices by directory, so that a path and a directory's list are
 * found without looking at the other devices. Between devices stand directories of classes and "virtual"; they exist as
 * long as something is in them.
 */
import type { Device } from "./device.js";
import type { Runtime } from "./runtime.js";
import type { Named } from "./sync/scheduler.js";

/** A registered device, or null for a directory that stands between devices. */
export type Occupant = Device | null;

export class DeviceDirectories implements Named {
  readonly name = "devices";
  readonly #runtime: Runtime;
  readonly #directories = new Map<string, Map<string, Occupant>>();

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  get(devpath: string): Device | undefined {
    return this.occupant(devpath) ?? undefined;
  }

  /** Undefined when nothing stands there. */
  occupant(devpath: string): Occupant | undefined {
    this.#runtime.scheduler.access(this, "read");
    return this.#directories.get(parentOf(devpath))?.get(nameOf(devpath));
  }

  /** What stands in the directory, by name. Empty for one that does not exist. */
  in(directory: string): ReadonlyMap<string, Occupant> {
    this.#runtime.scheduler.access(this, "read");
    return this.#directories.get(directory) ?? new Map<string, Occupant>();
  }

  /** Precondition: nothing stands at its path. */
  add(device: Device): void {
    this.#runtime.scheduler.access(this, "write");
    this.#put(device.devpath, device);
  }

  delete(device: Device): void {
    this.#runtime.scheduler.access(this, "write");
    if (this.get(device.devpath) === device) this.#take(device.devpath);
  }

  #put(path: string, occupant: Occupant): void {
    const directory = parentOf(path);
    let occupants = this.#directories.get(directory);
    if (occupants === undefined) {
      occupants = new Map();
      this.#directories.set(directory, occupants);
      if (directory !== root && this.occupant(directory) === undefined) this.#put(directory, null);
    }
    occupants.set(nameOf(path), occupant);
  }

  #take(path: string): void {
    const directory = parentOf(path);
    const occupants = this.#directories.get(directory);
    occupants?.delete(nameOf(path));
    if (occupants === undefined || occupants.size > 0) return;
    this.#directories.delete(directory);
    if (directory !== root && this.occupant(directory) === null) this.#take(directory);
  }
}

const root = "/devices";

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
