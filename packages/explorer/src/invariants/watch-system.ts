/**
 * What holds for every device model whatever its drivers do, looked at between any two steps: who is bound, and what the
 * world was told of it. Leaks, deadlocks and uses after the last reference are looked for anyway.
 */
import type { Bus, Device, Driver, OpenFile, System, Uevent } from "parhelion-core";
import type { World } from "../program.js";

type Told = "nothing" | "add" | "bind" | "unbind" | "remove";

/** What may come next after each of the uevents that bound a device's life. */
const next: Readonly<Record<Told, readonly Told[]>> = {
  nothing: ["add"],
  add: ["bind", "remove"],
  bind: ["unbind"],
  unbind: ["bind", "remove"],
  remove: ["add"],
};

/**
 * To be called in `setup`, before the first device is added.
 * @param buses those whose devices are looked at; they are registered already
 */
export function watchSystem(world: World, system: System, buses: readonly Bus[]): SystemWatch {
  return new SystemWatch(world, system, buses);
}

export class SystemWatch {
  readonly #world: World;
  readonly #system: System;
  readonly #devices = new Set<Device>();
  readonly #removed = new Set<Device>();
  readonly #drivers = new Set<Driver>();
  /** By devpath. */
  readonly #told = new Map<string, Told>();

  constructor(world: World, system: System, buses: readonly Bus[]) {
    this.#world = world;
    this.#system = system;
    for (const bus of buses) {
      system.onBusEvent(bus, (event, device) => {
        if (event === "add-device") {
          if (!this.#devices.has(device)) world.always(() => this.#look(device), device.devpath);
          this.#devices.add(device);
        } else if (event === "removed-device") {
          this.#removed.add(device);
        }
      });
    }
    system.onUevent((event) => this.#hear(event));
  }

  /** Has every request on the file that begins after the device's removal, and succeeds all the same, reported. */
  watchFile<Req, Res>(file: OpenFile<Req, Res>, device: Device): OpenFile<Req, Res> {
    const request = file.request.bind(file);
    const watched: OpenFile<Req, Res>["request"] = async (...given) => {
      const gone = this.#removed.has(device);
      const answer = await request(...given);
      const message = `a request on ${file.name} succeeds though ${device.devpath} was removed before`;
      this.#world.expect(!gone, message, "invariant");
      return answer;
    };
    Object.defineProperty(file, "request", { value: watched });
    return file;
  }

  /** Outside of critical sections, that is, while nobody has the device's lock: bound or not, and all agree. */
  #look(device: Device): void {
    if (this.#removed.has(device) || device.mutex.locked) return;
    const { driver } = device;
    if (driver !== null) this.#drivers.add(driver);
    const { state } = device.binding;
    const listed = [...this.#drivers].filter((other) => this.#drivenBy(other).includes(device));
    const names = listed.map(({ name }) => name).join(", ");
    if ((state === "bound") !== (driver !== null) || (state !== "bound" && state !== "unbound")) {
      throw new Error(`${device.devpath} is ${state}, and its driver is ${driver?.name ?? "none"}`);
    }
    if (listed.length !== (driver === null ? 0 : 1) || (driver !== null && listed[0] !== driver)) {
      throw new Error(
        `${device.devpath} has driver ${driver?.name ?? "none"}, and is among the devices of ${names || "none"}`,
      );
    }
  }

  #drivenBy(driver: Driver): readonly Device[] {
    try {
      return this.#system.devicesDrivenBy(driver);
    } catch {
      // Not registered any more, so it has none.
      return [];
    }
  }

  #hear({ action, devpath }: Uevent): void {
    if (!devpath.startsWith("/devices/") || !(action in next)) return;
    const was = this.#told.get(devpath) ?? "nothing";
    this.#told.set(devpath, action as Told);
    if (next[was].includes(action as Told)) return;
    const message = `${action} of ${devpath} is told after ${was}: it is add, then bind and unbind, then remove`;
    this.#world.expect(false, message, "invariant");
  }
}
