import { Device, type Driver } from "parhelion-core";
import type { Program } from "../../../program.js";
import type { Dispute } from "../../dispute.js";
import { Attached } from "../attached.js";

interface Shared {
  readonly at: Attached;
  readonly consumer: Device;
  readonly drivers: readonly Driver<Device>[];
}

/** While a supplier unbinds its consumers it gives its lock up, and somebody may bind another driver to it. */
const attached: Program<Shared> = {
  name: "a supplier is unbound, its consumer first, while another driver is attached to it",
  setup(world) {
    const at = new Attached(world, { match: () => false });
    const consumer = new Device(world.runtime, { name: "consumer", bus: at.bus });
    const drivers = [
      at.driver("first"),
      at.driver("second"),
      {
        name: "consumer's driver",
        bus: at.bus,
        probe: () => {},
        remove: () => {},
      },
    ] as const;
    const [first, second] = drivers;
    world.task("unbind", () => at.system.detach(at.device, first));
    world.task("bind second", async () => {
      await at.outcome(() => at.system.attach(at.device, second), "EBUSY");
    });
    return { at, consumer, drivers };
  },
  async before({ at, consumer, drivers }) {
    const [first, , consumerDriver] = drivers as readonly [Driver<Device>, Driver<Device>, Driver<Device>];
    for (const driver of drivers) await at.system.registerDriver(driver);
    await at.system.addDevice(at.device);
    await at.system.addDevice(consumer);
    at.system.addLink(consumer, at.device);
    await at.system.attach(at.device, first);
    await at.system.attach(consumer, consumerDriver);
  },
  async after({ at, consumer, drivers }, world) {
    world.expect(consumer.driver === null, "the consumer outlives its supplier's binding");
    await at.end(...drivers);
    await at.system.unregisterDevice(consumer);
  },
};

export const supplierMakesRoom: Dispute = {
  id: "D6.15",
  thread: "device-bind-driver",
  title: "A supplier that gives its lock up while it unbinds consumers",
  argued:
    "Unbinding a supplier unbinds its consumers first, without the supplier's lock. Somebody else may have bound it when " +
    "the lock is taken again.",
  found:
    "Looking at the driver again is enough: no order releases the wrong driver, or leaves a consumer bound.",
  variants: [{ name: "detach, with device links", program: attached, expected: "safe" }],
};
