import type { Device, Driver } from "parhelion-core";
import type { Program } from "../../../program.js";
import type { Dispute } from "../../dispute.js";
import { Observed } from "../observed.js";

interface Shared {
  readonly at: Observed;
  readonly device: Device;
  readonly driver: Driver<Device>;
}

function listener(expects: "the driver's add first" | "any order"): Program<Shared> {
  return {
    name: `a driver is registered; who listens expects ${expects}`,
    setup(world) {
      const at = new Observed(world);
      const device = at.device("device");
      const driver = at.driver("driver");
      world.task("register", () => at.system.registerDriver(driver));
      return { at, device, driver };
    },
    before: ({ at, device }) => at.system.addDevice(device),
    async after({ at, device, driver }, world) {
      const driverAdded = at.events.findIndex(({ subsystem }) => subsystem === "drivers");
      const bound = at.events.findIndex(({ action }) => action === "bind");
      world.expect(driverAdded >= 0 && bound >= 0, "one of the two is never heard");
      if (expects === "the driver's add first")
        world.expect(driverAdded < bound, "a device is bound to a driver that was not announced yet");
      await at.system.unregisterDriver(driver);
      await at.system.unregisterDevice(device);
    },
  };
}

export const driverAnnouncedLate: Dispute = {
  id: "D9.2",
  thread: "uevents",
  title: "A driver is announced after its devices are bound",
  argued: "Registering a driver probes the devices that are there and announces the driver afterwards.",
  found:
    "Always, not only sometimes: who waits for the driver's add before it looks at bind events waits too long.",
  variants: [
    {
      name: "a listener that expects the driver first",
      program: listener("the driver's add first"),
      expected: "unsafe",
      finds: "expectation",
    },
    { name: "a listener that does not", program: listener("any order"), expected: "safe" },
  ],
};
