/** A system on the core that ships, with somebody who hears its uevents. */
import { type Bus, Device, type Driver, type ErrnoCode, System, type Uevent } from "parhelion-core";
import { outcomeOf } from "../../outcome.js";
import type { World } from "../../program.js";

export class Observed {
  readonly system: System;
  readonly bus: Bus<Device, Driver>;
  readonly events: Uevent[] = [];
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
    this.system = new System(world.runtime);
    this.bus = { name: "bus", match: () => true, uevent: (device) => [["MODALIAS", `bus:${device.name}`]] };
    this.system.registerBus(this.bus);
    this.system.onUevent((event) => this.events.push(event));
  }

  device(name: string): Device {
    return new Device(this.system.runtime, { name, bus: this.bus });
  }

  driver(
    name: string,
    probe: Driver<Device>["probe"] = () => this.#world.point(`${name}: probe`),
  ): Driver<Device> {
    return { name, bus: this.bus, probe, remove: () => this.#world.point(`${name}: remove`) };
  }

  /** The actions of one object, in the order in which they were delivered. */
  actionsOf(devpath: string): string {
    return this.events
      .filter((event) => event.devpath === devpath)
      .map(({ action }) => action)
      .join(" ");
  }

  async may(run: () => Promise<void>, ...answers: readonly ErrnoCode[]): Promise<void> {
    await outcomeOf(run, ...answers);
  }
}
