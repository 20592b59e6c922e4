import type { Device, Driver } from "parhelion-core";
import type { Program } from "../../../program.js";
import type { Dispute } from "../../dispute.js";
import { Attached } from "../attached.js";

interface Shared {
  readonly at: Attached;
  readonly driver: Driver<Device>;
}

const attached: Program<Shared> = {
  name: "a probe succeeds and a file of the driver can't be made, while the device is unbound and bound",
  setup(world) {
    const at = new Attached(world, { match: () => false });
    const state = { name: "limit" };
    const driver = at.driver("driver", {
      // The device has a file of that name already.
      deviceGroups: [{ attributes: [state, state] }],
    });
    const other = at.driver("other");
    world.task("bind", async () => {
      const answer = await at.outcome(() => at.system.attach(at.device, driver), "EEXIST", "EBUSY");
      world.expect(answer !== "done", "bound without its files");
    });
    world.task("bind other", async () => {
      await at.outcome(() => at.system.attach(at.device, other), "EBUSY");
    });
    return { at, driver, other };
  },
  async before(shared) {
    const { at, driver, other } = shared as Shared & { other: Driver<Device> };
    await at.system.addDevice(at.device);
    await at.system.registerDriver(driver);
    await at.system.registerDriver(other);
  },
  after(shared) {
    const { at, driver, other } = shared as Shared & { other: Driver<Device> };
    return at.end(driver, other);
  },
};

export const failedGroup: Dispute = {
  id: "D6.14",
  thread: "device-bind-driver",
  title: "A probe that succeeds, and files that can't be made",
  argued:
    "When what follows a probe fails, the core has to call remove: the driver believes that it has the device.",
  found: "In every order each probe that succeeded has its remove before the next one.",
  variants: [{ name: "attach", program: attached, expected: "safe" }],
};
