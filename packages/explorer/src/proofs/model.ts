/** A system whose drivers notice what must not happen, for the programs about the device model. */
import {
  type Bus,
  Completion,
  Device,
  type DeviceInit,
  type Driver,
  type ErrnoCode,
  KernelError,
  System,
} from "parhelion-core";
import { outcomeOf } from "../outcome.js";
import type { World } from "../program.js";

export class Model {
  readonly system: System;
  readonly bus: Bus<Device, Driver>;
  /** Per device the actions heard of it. */
  readonly heard = new Map<string, string[]>();
  readonly #world: World;
  readonly #devices: Device[] = [];
  readonly #held = new Map<string, { by: string }>();

  constructor(world: World, match: Bus<Device, Driver>["match"] = () => true) {
    this.#world = world;
    this.system = new System(world.runtime);
    this.bus = { name: "bus", match };
    this.system.registerBus(this.bus);
    this.system.onUevent(({ devpath, action }) => {
      if (!devpath.startsWith("/devices/")) return;
      this.heard.set(devpath, [...(this.heard.get(devpath) ?? []), action]);
    });
  }

  /** Its memory is freed by its last reference. */
  device(name: string, init: Partial<DeviceInit> = {}): Device {
    const memory = this.#world.allocate(`memory of ${name}`, { probes: 0 });
    const device = new Device(this.system.runtime, {
      name,
      bus: this.bus,
      release: () => this.#world.free(memory),
      ...init,
    });
    this.#held.set(device.devpath, this.#world.track(`who has ${name}`, { by: "" }));
    this.#devices.push(device);
    return device;
  }

  /** @param verdict what its probe says, asked at each probe */
  driver(
    name: string,
    verdict: (device: Device) => ErrnoCode | "binds" = () => "binds",
  ): Driver<Device, string> {
    const world = this.#world;
    const heldBy = (device: Device) => this.#held.get(device.devpath) as { by: string };
    return {
      name,
      bus: this.bus,
      async probe(device) {
        const held = heldBy(device);
        world.expect(held.by === "", `${name} is probed while ${held.by} has ${device.name}`);
        held.by = name;
        const buffer = world.allocate(`${name}'s buffer for ${device.name}`, { used: 0 });
        device.devres.addAction(() => world.free(buffer));
        await world.point(`${name}: probe`);
        const answer = verdict(device);
        if (answer === "binds") return name;
        held.by = "";
        throw new KernelError(answer, "as told");
      },
      async remove(device, state) {
        const held = heldBy(device);
        world.expect(
          held.by === name && state === name,
          `${name} is removed from ${device.name}, ${held.by} has it`,
        );
        await world.point(`${name}: remove`);
        held.by = "";
      },
    };
  }

  may(run: () => Promise<unknown>, ...answers: readonly ErrnoCode[]): Promise<"done" | ErrnoCode> {
    return outcomeOf(run, ...answers);
  }

  /** Waits until nothing is under way: time passes only then. */
  async quiet(): Promise<void> {
    const { runtime } = this.system;
    const never = new Completion(runtime, "nothing");
    await this.may(() => never.wait({ deadline: runtime.clock.now() + 1 }), "ETIMEDOUT");
  }

  /** Takes everything down. What was not given back by then is a leak. */
  async end(...drivers: readonly Driver[]): Promise<void> {
    for (const device of this.#devices) {
      await this.may(() => this.system.removeDevice(device), "ENODEV");
      device.put();
    }
    for (const driver of drivers)
      await this.may(() => this.system.unregisterDriver(driver), "ENODEV", "EINVAL");
    for (const [devpath, actions] of this.heard) {
      const heard = actions.join(" ");
      this.#world.expect(/^add( bind unbind)* remove$/.test(heard), `of ${devpath} was heard: ${heard}`);
    }
    for (const [devpath, { by }] of this.#held) this.#world.expect(by === "", `${by} still has ${devpath}`);
  }
}
