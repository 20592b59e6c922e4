/**
 * A device as the old interface sees it: the caller of `bindByHand` has set the driver and run its own probe, and the
 * core only makes the links and lists (drivers/base/dd.c before version 5.14: device_bind_driver, device_release_driver,
 * unbind_store). Between two statements that another processor can come between stands a point.
 */
import { Mutex } from "parhelion-core";
import type { World } from "../../program.js";

export interface ByHandDriver {
  readonly name: string;
  /** The driver's own way of taking the device, whatever it calls it. 0, or a negative number: it refuses. */
  probe(device: ByHandDevice): Promise<number>;
  remove(device: ByHandDevice): Promise<void>;
}

interface Fields {
  driver: ByHandDriver | null;
  driverData: string | null;
  /** Whether it is on its driver's list, and whether it has the `driver` link. */
  listed: boolean;
  linked: boolean;
  dead: boolean;
}

export class ByHandDevice {
  readonly fields: Fields;
  readonly lock: Mutex;
  readonly #world: World;

  constructor(world: World, name: string) {
    this.#world = world;
    this.lock = new Mutex(world.runtime, `device lock of ${name}`);
    this.fields = world.track(name, {
      driver: null,
      driverData: null,
      listed: false,
      linked: false,
      dead: false,
    });
  }

  /** What holds whenever nobody is in the middle of binding: bound, listed and linked are one thing. */
  expectWhole(): void {
    const { driver, listed, linked } = this.fields;
    const bound = driver !== null;
    this.#world.expect(
      bound === listed && bound === linked,
      `driver ${driver?.name ?? "none"}, ${listed ? "on" : "not on"} its list, ${linked ? "with" : "without"} link`,
    );
  }

  /** Precondition, often ignored: the device's lock is held. The caller has set `driver`. */
  async bindByHand(): Promise<void> {
    const { fields } = this;
    await this.#world.point("make the link");
    this.#world.expect(fields.driver !== null, "NULL dereference: the driver to link to is gone");
    fields.linked = true;
    await this.#world.point("put on the driver's list");
    fields.listed = true;
  }

  /** Takes the lock and ends whatever binding there is. */
  async release(): Promise<void> {
    await this.lock.withLock(() => this.releaseLocked());
  }

  async releaseLocked(): Promise<void> {
    const { fields } = this;
    const { driver } = fields;
    if (driver === null) return;
    fields.linked = false;
    await driver.remove(this);
    fields.driver = null;
    fields.driverData = null;
    this.#world.expect(fields.listed, "taken off a list that it was never put on");
    fields.listed = false;
  }

  /** The file `unbind`: looks without the lock, then releases what is there once it has the lock. */
  async unbindFile(driver: ByHandDriver): Promise<"done" | "ENODEV"> {
    await this.#world.point("who is bound?");
    if (this.fields.driver !== driver) return "ENODEV";
    await this.#world.point("release");
    await this.release();
    return "done";
  }
}

/** A driver that notices when it is probed twice, or removed without having been probed. */
export function countingDriver(world: World, name: string): ByHandDriver {
  const held = world.track(`${name}'s state`, { devices: 0 });
  return {
    name,
    async probe() {
      await world.point(`${name}: probe`);
      world.expect(held.devices === 0, `${name} is probed for a device that it has`);
      held.devices = 1;
      return 0;
    },
    async remove() {
      await world.point(`${name}: remove`);
      world.expect(held.devices === 1, `${name} is to remove a device that it never got`);
      held.devices = 0;
    },
  };
}
