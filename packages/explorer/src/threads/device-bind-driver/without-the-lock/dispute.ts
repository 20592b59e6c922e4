import type { Program } from "../../../program.js";
import type { Dispute } from "../../dispute.js";
import { Attached } from "../attached.js";
import { ByHandDevice, countingDriver } from "../by-hand.js";

function byHand(lock: "taken" | "not taken"): Program<ByHandDevice> {
  return {
    name: `a bus binds by hand, its lock ${lock}, while the file unbind is written`,
    setup(world) {
      const device = new ByHandDevice(world, "device");
      const driver = countingDriver(world, "driver");
      world.task("bus", async () => {
        const guard = lock === "taken" ? await device.lock.lock() : null;
        await driver.probe(device);
        device.fields.driver = driver;
        await device.bindByHand();
        guard?.release();
      });
      world.task("unbind", async () => {
        await device.unbindFile(driver);
      });
      return device;
    },
    after(device) {
      device.expectWhole();
      return Promise.resolve();
    },
  };
}

const attached: Program<{ readonly at: Attached; readonly driver: ReturnType<Attached["driver"]> }> = {
  name: "attach while the file unbind is written",
  setup(world) {
    const at = new Attached(world, { match: () => false });
    const driver = at.driver("driver");
    world.task("bus", () => at.system.attach(at.device, driver));
    world.task("unbind", async () => {
      await at.outcome(() => at.system.detach(at.device, driver), "ENODEV");
    });
    return { at, driver };
  },
  async before({ at, driver }) {
    await at.system.addDevice(at.device);
    await at.system.registerDriver(driver);
  },
  after: ({ at, driver }) => at.end(driver),
};

export const withoutTheLock: Dispute = {
  id: "D6.1",
  thread: "device-bind-driver",
  title: "Binding by hand without the device's lock, against unbind",
  argued:
    "Callers of device_bind_driver must hold the device's lock; as far as the thread could tell, none of them does. " +
    "Nobody could say what that costs.",
  found:
    "A driver can be released in the middle of being bound: the binder then follows a pointer that is gone, or leaves " +
    "a device that is linked to a driver and not bound to it. With the lock held, and with attach, no order of events does.",
  variants: [
    {
      name: "by hand, no lock (as posted)",
      program: byHand("not taken"),
      expected: "unsafe",
      finds: "expectation",
      options: { ignore: ["data-race"] },
    },
    {
      name: "by hand, no lock: on two processors",
      program: byHand("not taken"),
      expected: "unsafe",
      finds: "data-race",
      options: { ignore: ["expectation"] },
    },
    {
      name: "by hand, with the lock (as documented)",
      program: byHand("taken"),
      expected: "safe",
      // The file looks at the driver without the lock, on purpose.
      options: { ignore: ["data-race"] },
    },
    { name: "attach (as Dan Williams proposed, as it ended)", program: attached, expected: "safe" },
  ],
};
