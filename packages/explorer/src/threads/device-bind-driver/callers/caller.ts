/**
 * How a subsystem binds a driver to one of its devices, today and on `attach`, while somebody writes the driver's unbind
 * file and the core looks for a driver of its own.
 */
import { Mutex } from "parhelion-core";
import type { Program, World } from "../../../program.js";
import { Attached } from "../attached.js";
import { ByHandDevice, type ByHandDriver, countingDriver } from "../by-hand.js";

export interface Caller {
  readonly name: string;
  /** Which locks it holds while it binds. */
  readonly holds: "nothing" | "a mutex of its own" | "the device's lock";
  /** Whether it looks if the device has a driver before it sets its own. */
  readonly looks: "yes" | "no";
  /** What it calls in place of the core's probe. */
  readonly probe: "its own" | "none";
  readonly rival: "unbind" | "the core's search";
}

async function bindToday(
  world: World,
  caller: Caller,
  device: ByHandDevice,
  driver: ByHandDriver,
  own: Mutex,
) {
  const lock = caller.holds === "the device's lock" ? device.lock : caller.holds === "nothing" ? null : own;
  const guard = lock === null ? null : await lock.lock();
  await world.point(`${caller.name}: has it a driver?`);
  if (caller.looks === "no" || device.fields.driver === null) {
    await world.point(`${caller.name}: set the driver`);
    const had = device.fields.driver as ByHandDriver | null;
    device.fields.driver = driver;
    world.expect(had === null, `${had?.name} is overwritten and will never be removed`);
    if (caller.probe === "its own") await driver.probe(device);
    await device.bindByHand();
  }
  guard?.release();
}

async function search(device: ByHandDevice, driver: ByHandDriver): Promise<void> {
  await device.lock.withLock(async () => {
    if (device.fields.driver !== null) return;
    device.fields.driver = driver;
    await driver.probe(device);
    await device.bindByHand();
  });
}

export function today(caller: Caller): Program<ByHandDevice> {
  return {
    name: `${caller.name} as it binds today, against ${caller.rival}`,
    setup(world) {
      const device = new ByHandDevice(world, "device");
      const own = new Mutex(world.runtime, `${caller.name}'s mutex`);
      const driver: ByHandDriver =
        caller.probe === "its own"
          ? countingDriver(world, "driver")
          : { name: "driver", probe: () => Promise.resolve(0), remove: () => world.point("driver: remove") };
      const other = countingDriver(world, "other driver");
      world.task(caller.name, () => bindToday(world, caller, device, driver, own));
      world.task(caller.rival, async () => {
        if (caller.rival === "unbind") await device.unbindFile(driver);
        else await search(device, other);
      });
      return device;
    },
    async after(device) {
      device.expectWhole();
      await device.release();
    },
  };
}

interface TwoDrivers {
  readonly at: Attached;
  readonly driver: ReturnType<Attached["driver"]>;
  readonly other: ReturnType<Attached["driver"]>;
}

export function onAttach(caller: Caller): Program<TwoDrivers> {
  return {
    name: `${caller.name} on attach, against ${caller.rival}`,
    setup(world) {
      const at = new Attached(world, { match: (_device, driver) => driver.name === "other driver" });
      const empty = caller.probe === "none" ? { probe: () => "driver", remove: () => {} } : {};
      const driver = at.driver("driver", empty);
      const other = at.driver("other driver");
      world.task(caller.name, async () => {
        await at.outcome(() => at.system.attach(at.device, driver), "EBUSY");
      });
      world.task(caller.rival, async () => {
        if (caller.rival === "unbind") await at.outcome(() => at.system.detach(at.device, driver), "ENODEV");
        else await at.system.probeDevice(at.device);
      });
      return { at, driver, other };
    },
    async before({ at, driver, other }) {
      await at.system.addDevice(at.device);
      await at.system.registerDriver(driver);
      if (caller.rival === "the core's search") {
        await at.system.registerDriver(other);
        await at.system.detach(at.device);
      }
    },
    after: ({ at, driver, other }) => at.end(driver, other),
  };
}
