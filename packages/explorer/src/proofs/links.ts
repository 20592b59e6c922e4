/** Device links and sync_state: a consumer is never bound while its supplier is not. */
import type { Device, Driver } from "parhelion-core";
import type { Program, World } from "../program.js";
import { Model } from "./model.js";

interface Linked {
  readonly model: Model;
  readonly supplier: Device;
  readonly consumer: Device;
  readonly drivers: readonly [Driver, Driver];
}

function linked(world: World): Linked {
  const model = new Model(world, (device, driver) => device.name === driver.name);
  const [supplier, consumer] = [model.device("supplier"), model.device("consumer")];
  return { model, supplier, consumer, drivers: [model.driver("supplier"), model.driver("consumer")] };
}

/** Of the two only what nobody is changing: who holds a lock is in the middle of it. */
function consumerIsSupplied({ supplier, consumer }: Linked, world: World): void {
  if (supplier.mutex.locked || consumer.mutex.locked) return;
  world.expect(!consumer.bound || supplier.bound, "the consumer is bound and its supplier is not");
}

async function both({ model, supplier, consumer, drivers }: Linked): Promise<void> {
  for (const driver of drivers) await model.system.registerDriver(driver);
  await model.system.addDevice(supplier);
  model.system.addLink(consumer, supplier);
  await model.system.addDevice(consumer);
}

async function end({ model, drivers }: Linked): Promise<void> {
  await model.system.waitForProbe();
  await model.end(...drivers);
}

export const supplierComes: Program<Linked> = {
  name: "a supplier's driver is registered while its consumer looks for one: both are bound in the end",
  setup(world) {
    const shared = linked(world);
    const { model, consumer, drivers } = shared;
    world.task("supplier", () => model.system.registerDriver(drivers[0]));
    world.task("consumer", () => model.system.addDevice(consumer));
    return shared;
  },
  async before({ model, supplier, consumer, drivers }) {
    await model.system.registerDriver(drivers[1]);
    await model.system.addDevice(supplier);
    model.system.addLink(consumer, supplier);
  },
  invariant: consumerIsSupplied,
  async after(shared, world) {
    await shared.model.system.waitForProbe();
    world.expect(shared.supplier.bound && shared.consumer.bound, "they are not both bound");
    await end(shared);
  },
};

export const supplierGoes: Program<Linked> = {
  name: "a supplier is unbound while its consumer is unbound and bound by hand",
  setup(world) {
    const shared = linked(world);
    const { model, supplier, consumer, drivers } = shared;
    world.task("supplier", () => model.system.detach(supplier));
    world.task("consumer", async () => {
      await model.may(() => model.system.detach(consumer), "ENODEV");
      await model.may(() => model.system.attach(consumer, drivers[1]), "EAGAIN", "EBUSY", "ENODEV");
    });
    return shared;
  },
  before: both,
  invariant: consumerIsSupplied,
  after: end,
};

export const supplierIsRemoved: Program<Linked> = {
  name: "a supplier is removed while its consumer is",
  setup(world) {
    const shared = linked(world);
    const { model, supplier, consumer } = shared;
    world.task("supplier", () => model.system.removeDevice(supplier));
    world.task("consumer", () => model.system.removeDevice(consumer));
    return shared;
  },
  before: both,
  invariant: consumerIsSupplied,
  after: end,
};

export const driversGo: Program<Linked> = {
  name: "the drivers of a supplier and of its consumer are unregistered at once",
  setup(world) {
    const shared = linked(world);
    const { model, drivers } = shared;
    for (const driver of drivers) world.task(driver.name, () => model.system.unregisterDriver(driver));
    return shared;
  },
  before: both,
  invariant: consumerIsSupplied,
  after: end,
};

export const syncedOnce: Program<Linked> = {
  name: "a supplier hears that its consumers are there, once, while the consumer comes and the supplier is unbound",
  setup(world) {
    const shared = linked(world);
    const { model, supplier, consumer, drivers } = shared;
    const heard = world.share("what the supplier heard", { times: 0 });
    Object.assign(drivers[0], {
      async syncState() {
        world.expect(supplier.bound, "it is told without a driver");
        await world.point("sync state");
        heard.times += 1;
        world.expect(heard.times === 1, "it is told twice for one binding");
      },
    });
    world.task("consumer", () => model.system.addDevice(consumer));
    world.task("supplier", async () => {
      await model.may(() => model.system.detach(supplier), "ENODEV");
    });
    return shared;
  },
  async before({ model, supplier, consumer, drivers }) {
    for (const driver of drivers) await model.system.registerDriver(driver);
    model.system.pauseSyncState();
    await model.system.addDevice(supplier);
    model.system.addLink(consumer, supplier);
    model.system.resumeSyncState();
  },
  invariant: consumerIsSupplied,
  after: end,
};
