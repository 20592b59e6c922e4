import { Device, type Driver } from "parhelion-core";
import type { Program } from "../../../program.js";
import type { Dispute } from "../../dispute.js";
import { Attached } from "../attached.js";

/** The old interface drops the links whose supplier is not there, and binds. */
const byHand: Program = {
  name: "a consumer is bound by hand while its supplier is unbound",
  setup(world) {
    const supplier = world.atomic("supplier is bound", true);
    const consumer = world.atomic("consumer is bound", false);
    world.task("bind consumer", async () => {
      const available = await supplier.load();
      // force_bind: a link to a supplier that is not available is deleted, and the consumer bound all the same.
      if (!available) await world.point("drop the link");
      await consumer.store(true);
      world.expect(await supplier.load(), "the consumer is bound and runs without its supplier");
    });
    world.task("unbind supplier", () => supplier.store(false));
  },
};

interface Linked {
  readonly at: Attached;
  readonly supplier: Device;
  readonly drivers: readonly Driver<Device>[];
}

const attached: Program<Linked> = {
  name: "a consumer is attached while its supplier is detached",
  setup(world) {
    const at = new Attached(world, { match: () => false });
    const supplier = new Device(world.runtime, { name: "supplier", bus: at.bus });
    const power = world.track("power from the supplier", { on: true });
    const drivers: readonly Driver<Device>[] = [
      {
        name: "supplier's driver",
        bus: at.bus,
        probe: () => {
          power.on = true;
        },
        remove: () => {
          power.on = false;
        },
      },
      {
        name: "consumer's driver",
        bus: at.bus,
        probe: async () => {
          world.expect(power.on, "probed without power");
          await world.point("consumer: probe");
          world.expect(power.on, "power goes while it is probed");
        },
        remove: async () => {
          world.expect(power.on, "removed without power");
          await world.point("consumer: remove");
          world.expect(power.on, "power goes before it is removed");
        },
      },
    ];
    const [, consumerDriver] = drivers as readonly [Driver<Device>, Driver<Device>];
    world.task("bind consumer", async () => {
      await at.outcome(() => at.system.attach(at.device, consumerDriver), "EAGAIN");
    });
    world.task("unbind supplier", () => at.system.detach(supplier));
    return { at, supplier, drivers };
  },
  async before({ at, supplier, drivers }) {
    const [supplierDriver] = drivers as readonly [Driver<Device>];
    for (const driver of drivers) await at.system.registerDriver(driver);
    await at.system.addDevice(supplier);
    await at.system.addDevice(at.device);
    at.system.addLink(at.device, supplier);
    await at.system.attach(supplier, supplierDriver);
  },
  async after({ at, supplier, drivers }) {
    await at.end(...drivers);
    await at.system.unregisterDevice(supplier);
  },
};

export const withoutItsSupplier: Dispute = {
  id: "D6.4",
  thread: "device-bind-driver",
  title: "A consumer without its supplier",
  argued: "The old interface drops links to suppliers that are not available instead of waiting for them.",
  found:
    "The consumer runs on a supplier that is not there. attach answers EAGAIN, and a supplier that goes takes its " +
    "consumers with it first: no order leaves a consumer's probe or remove without it.",
  variants: [
    { name: "by hand, links dropped", program: byHand, expected: "unsafe", finds: "expectation" },
    { name: "attach, with device links", program: attached, expected: "safe" },
  ],
};
