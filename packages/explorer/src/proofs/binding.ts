/** Adding, binding, unbinding and removing against each other, on the core that ships. */
import type { Device, Driver } from "parhelion-core";
import type { Program } from "../program.js";
import { Model } from "./model.js";

interface Shared {
  readonly model: Model;
  readonly devices: readonly Device[];
  readonly drivers: readonly Driver[];
}

const end = ({ model, drivers }: Shared): Promise<void> => model.end(...drivers);

export const deviceMeetsDriver: Program<Shared> = {
  name: "a device is added while its driver is registered: they find each other exactly once",
  setup(world) {
    const model = new Model(world);
    const device = model.device("device");
    const driver = model.driver("driver");
    world.task("add", () => model.system.addDevice(device));
    world.task("register", () => model.system.registerDriver(driver));
    return { model, devices: [device], drivers: [driver] };
  },
  after(shared, world) {
    world.expect(shared.devices[0]?.bound === true, "they have missed each other");
    return end(shared);
  },
};

export const deviceMeetsLeavingDriver: Program<Shared> = {
  name: "a device is added while its driver is unregistered",
  setup(world) {
    const model = new Model(world);
    const device = model.device("device");
    const driver = model.driver("driver");
    world.task("add", () => model.system.addDevice(device));
    world.task("unregister", () => model.system.unregisterDriver(driver));
    return { model, devices: [device], drivers: [driver] };
  },
  before: ({ model, drivers }) => model.system.registerDriver(drivers[0] as Driver),
  after(shared, world) {
    world.expect(shared.devices[0]?.driver === null, "bound to a driver that is gone");
    return end(shared);
  },
};

export const attachDetachRemove: Program<Shared> = {
  name: "a device is attached, detached and removed",
  setup(world) {
    const model = new Model(world, () => false);
    const device = model.device("device");
    const driver = model.driver("driver");
    world.task("attach", async () => {
      await model.may(() => model.system.attach(device, driver), "ENODEV", "EBUSY");
    });
    world.task("detach", async () => {
      await model.may(() => model.system.detach(device, driver), "ENODEV");
    });
    world.task("remove", () => model.system.removeDevice(device));
    return { model, devices: [device], drivers: [driver] };
  },
  async before({ model, devices, drivers }) {
    await model.system.addDevice(devices[0] as Device);
    await model.system.registerDriver(drivers[0] as Driver);
  },
  after: end,
};

export const removedOnce: Program<Shared> = {
  name: "a bound device is removed by two: one does it, the other is told",
  setup(world) {
    const model = new Model(world);
    const device = model.device("device");
    const driver = model.driver("driver");
    const winners = world.atomic("winners", 0);
    for (const name of ["first", "second"]) {
      world.task(name, async () => {
        const answer = await model.may(() => model.system.removeDevice(device), "ENODEV");
        if (answer === "done") await winners.update((count) => count + 1);
      });
    }
    return { model, devices: [device], drivers: [driver], winners };
  },
  async before({ model, devices, drivers }) {
    await model.system.registerDriver(drivers[0] as Driver);
    await model.system.addDevice(devices[0] as Device);
  },
  after(shared, world) {
    const { winners } = shared as Shared & { winners: { peek(): number } };
    world.expect(winners.peek() === 1, `${winners.peek()} have removed it`);
    return end(shared);
  },
};

export const deferredIsNotForgotten: Program<Shared> = {
  name: "a device waits for another one; whichever is bound first, both are bound in the end",
  setup(world) {
    const model = new Model(world, (device, driver) => device.name === driver.name);
    const supplier = model.device("supplier");
    const consumer = model.device("consumer");
    const drivers = [
      model.driver("supplier"),
      model.driver("consumer", () => {
        world.reads({ name: "is the supplier bound?" });
        return supplier.bound ? "binds" : "EPROBE_DEFER";
      }),
    ];
    for (const device of [consumer, supplier]) world.task(device.name, () => model.system.addDevice(device));
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

export const refusedThenNext: Program<Shared> = {
  name: "a driver refuses a new device while another one comes that takes it",
  setup(world) {
    const model = new Model(world);
    const device = model.device("device");
    const drivers = [model.driver("refuses", () => "ENODEV"), model.driver("takes")];
    world.task("add", () => model.system.addDevice(device));
    world.task("register", () => model.system.registerDriver(drivers[1] as Driver));
    return { model, devices: [device], drivers };
  },
  before: ({ model, drivers }) => model.system.registerDriver(drivers[0] as Driver),
  after(shared, world) {
    world.expect(shared.devices[0]?.driver?.name === "takes", "the driver that would take it has not got it");
    return end(shared);
  },
};

export const lateIsNever: Program<Shared> = {
  name: "an attach misses its deadline at any moment while the device is removed",
  setup(world) {
    const model = new Model(world, () => false);
    const device = model.device("device");
    const driver = model.driver("driver");
    world.task("attach", async () => {
      await model.may(() => model.system.attach(device, driver, { deadline: 10 }), "ENODEV", "ETIMEDOUT");
    });
    world.task("remove", async () => {
      await model.may(() => model.system.removeDevice(device), "ETIMEDOUT");
    });
    return { model, devices: [device], drivers: [driver] };
  },
  async before({ model, devices, drivers }) {
    await model.system.addDevice(devices[0] as Device);
    await model.system.registerDriver(drivers[0] as Driver);
  },
  after: end,
};

export const unregisteredLate: Program<Shared> = {
  name: "a device's unregistration misses its deadline at any moment: the creator's reference goes with the device, or stays",
  setup(world) {
    const model = new Model(world);
    const device = model.device("device");
    const driver = model.driver("driver");
    world.task("unregister", async () => {
      await model.may(() => model.system.unregisterDevice(device, { deadline: 10 }), "ETIMEDOUT");
    });
    return { model, devices: [device], drivers: [driver] };
  },
  async before({ model, devices, drivers }) {
    await model.system.registerDriver(drivers[0] as Driver);
    await model.system.addDevice(devices[0] as Device);
    // The one that `end` gives back.
    devices[0]?.get();
  },
  async after(shared) {
    const { model, devices } = shared;
    const device = devices[0] as Device;
    await model.quiet();
    if (device.registered) await model.system.unregisterDevice(device);
    await end(shared);
  },
};
