import type { Program } from "../../../program.js";
import type { Dispute } from "../../dispute.js";
import { Attached } from "../attached.js";
import { ByHandDevice, countingDriver } from "../by-hand.js";

function byHand(test: "none" | "under the lock"): Program<ByHandDevice> {
  return {
    name: `a device is removed while somebody binds it by hand, dead tested: ${test}`,
    setup(world) {
      const device = new ByHandDevice(world, "device");
      const driver = countingDriver(world, "driver");
      world.task("bus", async () => {
        const guard = await device.lock.lock();
        if (test === "none" || !device.fields.dead) {
          device.fields.driver = driver;
          await driver.probe(device);
          await device.bindByHand();
        }
        guard.release();
      });
      world.task("remove", async () => {
        await device.lock.withLock(() => {
          device.fields.dead = true;
        });
        await device.release();
      });
      return device;
    },
    after(device, world) {
      world.expect(device.fields.driver === null, "the device is gone and still bound");
      return Promise.resolve();
    },
  };
}

interface OneDriver {
  readonly at: Attached;
  readonly driver: ReturnType<Attached["driver"]>;
}

const attached: Program<OneDriver> = {
  name: "a device is removed while somebody attaches a driver to it",
  setup(world) {
    const at = new Attached(world, { match: () => false });
    const driver = at.driver("driver");
    world.task("bus", async () => {
      await at.outcome(() => at.system.attach(at.device, driver), "ENODEV");
    });
    world.task("remove", async () => {
      await at.system.removeDevice(at.device);
      world.expect(at.held.by === null, "the device is gone and a driver still has it");
    });
    return { at, driver };
  },
  async before({ at, driver }) {
    await at.system.addDevice(at.device);
    await at.system.registerDriver(driver);
  },
  after: ({ at, driver }) => at.end(driver),
};

export const removedDevice: Dispute = {
  id: "D6.13",
  thread: "device-bind-driver",
  title: "A device is removed while it is bound",
  argued:
    "attach tests under the lock whether the device is on its way out. The old interface has no such test.",
  found: "Without the test a device that is gone stays bound. With it, and with attach, it never does.",
  variants: [
    { name: "by hand", program: byHand("none"), expected: "unsafe", finds: "expectation" },
    { name: "by hand, tested under the lock", program: byHand("under the lock"), expected: "safe" },
    { name: "attach", program: attached, expected: "safe" },
  ],
};
