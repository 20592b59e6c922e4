/** Probes in tasks of their own, deferred ones included, against registration and removal. */
import type { Device, Driver } from "parhelion-core";
import type { Program, World } from "../program.js";
import { Model } from "./model.js";

interface Shared {
  readonly model: Model;
  readonly devices: readonly Device[];
  readonly drivers: readonly Driver[];
}

const end = ({ model, drivers }: Shared): Promise<void> => model.end(...drivers);

function asynchronous(model: Model, name: string, ...verdict: Parameters<Model["driver"]>[1][]): Driver {
  return { ...model.driver(name, ...verdict), probeType: "asynchronous" } as Driver;
}

function one(world: World): Shared {
  const model = new Model(world);
  return { model, devices: [model.device("device")], drivers: [asynchronous(model, "driver")] };
}

export const asyncDriverMeetsDevice: Program<Shared> = {
  name: "a device is added while a driver that probes asynchronously is registered: they find each other exactly once",
  setup(world) {
    const shared = one(world);
    const { system } = shared.model;
    world.task("add", () => system.addDevice(shared.devices[0] as Device));
    world.task("register", () => system.registerDriver(shared.drivers[0] as Driver));
    return shared;
  },
  async after(shared, world) {
    await shared.model.system.waitForProbe();
    world.expect(shared.devices[0]?.bound === true, "they have missed each other");
    await end(shared);
  },
};

export const asyncDriverGoes: Program<Shared> = {
  name: "a driver that probes asynchronously is registered and unregistered while its device is removed",
  setup(world) {
    const shared = one(world);
    const { system } = shared.model;
    world.task("driver", async () => {
      await system.registerDriver(shared.drivers[0] as Driver);
      await system.unregisterDriver(shared.drivers[0] as Driver);
    });
    world.task("remove", () => system.removeDevice(shared.devices[0] as Device));
    return shared;
  },
  before: ({ model, devices }) => model.system.addDevice(devices[0] as Device),
  async after(shared) {
    await shared.model.system.waitForProbe();
    await end(shared);
  },
};

export const asyncDeferred: Program<Shared> = {
  name: "a device that waits for another one is probed asynchronously: both are bound in the end",
  setup(world) {
    const model = new Model(world, (device, driver) => device.name === driver.name);
    const [supplier, consumer] = [model.device("supplier"), model.device("consumer")];
    const drivers = [
      model.driver("supplier"),
      asynchronous(model, "consumer", () => {
        world.reads({ name: "is the supplier bound?" });
        return supplier.bound ? "binds" : "EPROBE_DEFER";
      }),
    ];
    world.task("supplier", () => model.system.addDevice(supplier));
    world.task("consumer", () => model.system.addDevice(consumer));
    return { model, devices: [supplier, consumer], drivers };
  },
  async before({ model, drivers }) {
    for (const driver of drivers) await model.system.registerDriver(driver);
  },
  async after(shared, world) {
    await shared.model.system.waitForProbe();
    for (const { name, bound } of shared.devices) world.expect(bound, `${name} is forgotten`);
    await end(shared);
  },
};

export const deferredGoes: Program<Shared> = {
  name: "a device that waits for another one is removed while that is bound",
  setup(world) {
    const model = new Model(world, (device, driver) => device.name === driver.name);
    const [supplier, consumer] = [model.device("supplier"), model.device("consumer")];
    const drivers = [
      model.driver("supplier"),
      model.driver("consumer", () => {
        world.reads({ name: "is the supplier bound?" });
        return supplier.bound ? "binds" : "EPROBE_DEFER";
      }),
    ];
    world.task("supplier", () => model.system.addDevice(supplier));
    world.task("remove", () => model.system.removeDevice(consumer));
    return { model, devices: [supplier, consumer], drivers };
  },
  async before({ model, drivers, devices }) {
    for (const driver of drivers) await model.system.registerDriver(driver);
    await model.system.addDevice(devices[1] as Device);
  },
  async after(shared) {
    await shared.model.system.waitForProbe();
    await end(shared);
  },
};
