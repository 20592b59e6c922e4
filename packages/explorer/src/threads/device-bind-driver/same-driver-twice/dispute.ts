import type { Program } from "../../../program.js";
import type { Dispute } from "../../dispute.js";
import { Attached } from "../attached.js";
import { ByHandDevice, countingDriver } from "../by-hand.js";

const byHand: Program = {
  name: "one driver is bound by hand twice",
  setup(world) {
    const device = new ByHandDevice(world, "device");
    const driver = countingDriver(world, "driver");
    for (const name of ["first", "second"]) {
      world.task(name, async () => {
        const guard = await device.lock.lock();
        device.fields.driver = driver;
        await driver.probe(device);
        await device.bindByHand();
        guard.release();
      });
    }
  },
};

interface OneDriver {
  readonly at: Attached;
  readonly driver: ReturnType<Attached["driver"]>;
}

const attached: Program<OneDriver> = {
  name: "one driver is attached twice",
  setup(world) {
    const at = new Attached(world, { match: () => false });
    const driver = at.driver("driver");
    for (const name of ["first", "second"]) {
      world.task(name, async () => {
        await at.outcome(() => at.system.attach(at.device, driver), "EBUSY");
      });
    }
    return { at, driver };
  },
  async before({ at, driver }) {
    await at.system.addDevice(at.device);
    await at.system.registerDriver(driver);
  },
  after({ at, driver }, world) {
    world.expect(at.device.bound, "one of the two has to succeed");
    return at.end(driver);
  },
};

export const sameDriverTwice: Dispute = {
  id: "D6.12",
  thread: "device-bind-driver",
  title: "The same driver, bound twice",
  argued: "The old interface does not look whether the device is bound, even to the same driver.",
  found: "By hand, lock or no lock, the driver is probed for a device that it has. attach answers EBUSY.",
  variants: [
    { name: "by hand, with the lock", program: byHand, expected: "unsafe", finds: "expectation" },
    { name: "attach", program: attached, expected: "safe" },
  ],
};
