import type { Program } from "../../../program.js";
import type { Dispute } from "../../dispute.js";
import { Attached } from "../attached.js";
import { ByHandDevice, countingDriver } from "../by-hand.js";

const byHand: Program<ByHandDevice> = {
  name: "a probe binds its own device by hand",
  setup(world) {
    const device = new ByHandDevice(world, "device");
    const driver = countingDriver(world, "driver");
    world.task("core", async () => {
      await device.lock.withLock(async () => {
        // The probe of some other driver hands its device on; the lock is held for it.
        await driver.probe(device);
        device.fields.driver = driver;
        await device.bindByHand();
      });
    });
    return device;
  },
  async after(device) {
    device.expectWhole();
    await device.release();
  },
};

interface TwoDrivers {
  readonly at: Attached;
  readonly outer: ReturnType<Attached["driver"]>;
  readonly inner: ReturnType<Attached["driver"]>;
}

function attached(where: "in the probe" | "in work of its own"): Program<TwoDrivers> {
  return {
    name: `a driver hands its device to another one ${where}`,
    setup(world) {
      const at = new Attached(world, { match: () => false });
      const inner = at.driver("inner");
      const hand = async () => {
        await at.outcome(() => at.system.attach(at.device, inner), "EBUSY");
      };
      const outer = at.driver("outer", {
        async probe() {
          if (where === "in the probe") await hand();
          else world.runtime.scheduler.spawn("hand on", hand);
          return "outer";
        },
        remove: () => {},
      });
      world.task("core", () => at.system.attach(at.device, outer));
      return { at, outer, inner };
    },
    async before({ at, outer, inner }) {
      await at.system.addDevice(at.device);
      await at.system.registerDriver(outer);
      await at.system.registerDriver(inner);
    },
    after: ({ at, outer, inner }) => at.end(outer, inner),
  };
}

export const fromItsOwnProbe: Dispute = {
  id: "D6.5",
  thread: "device-bind-driver",
  title: "Binding a device from its own probe",
  argued:
    "The old interface wants the lock held, the new one takes it: not a drop-in replacement, as Jason Gunthorpe wrote.",
  found:
    "attach from the device's own probe waits for the lock that its own caller holds, for ever. It is the one thing that " +
    "binding by hand could do; handing the device on from work of its own can't block.",
  variants: [
    { name: "by hand, in the probe", program: byHand, expected: "safe" },
    {
      name: "attach, in the probe",
      program: attached("in the probe"),
      expected: "unsafe",
      finds: "deadlock",
    },
    { name: "attach, in work of its own", program: attached("in work of its own"), expected: "safe" },
  ],
};
