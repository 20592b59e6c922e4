/** The same device on the core that ships: bound by `attach`, unbound by `detach`, with drivers that notice what is wrong. */
import { type Bus, Device, type Driver, type ErrnoCode, System } from "parhelion-core";
import { outcomeOf } from "../../outcome.js";
import type { World } from "../../program.js";

export class Attached {
  readonly system: System;
  readonly bus: Bus<Device, Driver>;
  readonly device: Device;
  /** Which driver has the device, as the drivers see it. */
  readonly held: { by: string | null };
  readonly #world: World;

  constructor(world: World, bus: Partial<Bus<Device, Driver>> = {}) {
    this.#world = world;
    this.system = new System(world.runtime);
    this.bus = { name: "bus", match: () => true, ...bus };
    this.system.registerBus(this.bus);
    this.device = new Device(world.runtime, { name: "device", bus: this.bus });
    this.held = world.track("who has the device", { by: null as string | null });
  }

  driver(name: string, parts: Partial<Driver<Device, string>> = {}): Driver<Device, string> {
    const { held } = this;
    const world = this.#world;
    return {
      name,
      bus: this.bus,
      async probe() {
        world.expect(held.by === null, `${name} is probed while ${held.by} has the device`);
        held.by = name;
        await world.point(`${name}: probe`);
        return name;
      },
      async remove(_device, state) {
        world.expect(
          held.by === name && state === name,
          `${name} is removed though ${held.by} has the device`,
        );
        await world.point(`${name}: remove`);
        held.by = null;
      },
      ...parts,
    };
  }

  /** Runs what may lose a race, and says how it ended. */
  outcome(run: () => Promise<unknown>, ...answers: readonly ErrnoCode[]): Promise<"done" | ErrnoCode> {
    return outcomeOf(run, ...answers);
  }

  /** Takes everything down and looks at what is left. For `after`. */
  async end(...drivers: readonly Driver[]): Promise<void> {
    for (const driver of drivers) {
      await this.outcome(() => this.system.unregisterDriver(driver), "ENODEV");
    }
    this.#world.expect(this.held.by === null, `${this.held.by} was never removed from the device`);
    this.#world.expect(this.device.driver === null, `${this.device.driver?.name} is still bound`);
    await this.outcome(() => this.system.removeDevice(this.device), "ENODEV");
    this.device.put();
  }
}
