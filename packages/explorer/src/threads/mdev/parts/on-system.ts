/** The mdev bus on the core that ships, for the questions that are about binding. */
import { type Bus, Device, type Driver, System, type Uevent } from "parhelion-core";
import type { World } from "../../../program.js";

export class MdevBus {
  readonly system: System;
  readonly bus: Bus<Device, Driver>;
  readonly mdev: Device;
  readonly events: string[] = [];
  /** Probes that succeeded and were not followed by a remove. */
  driven = 0;

  /** @param match the bus says no to every pair, so that only create binds; an ordinary bus says yes */
  constructor(world: World, match: "never" | "always" = "never") {
    const { runtime } = world;
    this.system = new System(runtime);
    this.bus = { name: "mdev", match: () => match === "always" };
    this.system.registerBus(this.bus);
    this.system.onUevent((event: Uevent) => {
      if (event.devpath === this.mdev.devpath) this.events.push(event.action);
    });
    this.mdev = new Device(runtime, { name: "uuid", bus: this.bus });
  }

  driver(world: World, probe: () => void = () => {}): Driver<Device, string> {
    return {
      name: "mdev_driver",
      bus: this.bus,
      probe: async () => {
        await world.point("probe");
        probe();
        world.writes({ name: "driven" });
        this.driven += 1;
        return "bound";
      },
      remove: async () => {
        await world.point("remove");
        world.writes({ name: "driven" });
        this.driven -= 1;
      },
    };
  }
}
