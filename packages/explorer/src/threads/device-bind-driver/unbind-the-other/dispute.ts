import type { Program } from "../../../program.js";
import type { Dispute } from "../../dispute.js";
import { Attached } from "../attached.js";
import { ByHandDevice, countingDriver } from "../by-hand.js";

const byHand: Program<ByHandDevice> = {
  name: "the file unbind of one driver while another takes its place",
  setup(world) {
    const device = new ByHandDevice(world, "device");
    const first = countingDriver(world, "first");
    const second = countingDriver(world, "second");
    device.fields.driver = first;
    device.fields.linked = true;
    device.fields.listed = true;
    const bind = async (driver: typeof first) => {
      await driver.probe(device);
      device.fields.driver = driver;
      await device.bindByHand();
    };
    world.task("unbind first", async () => {
      await device.unbindFile(first);
    });
    world.task("rebind", async () => {
      await device.lock.withLock(async () => {
        await device.releaseLocked();
        await bind(second);
      });
    });
    return device;
  },
  async before(device) {
    await device.fields.driver?.probe(device);
  },
  after(device, world) {
    world.expect(device.fields.driver?.name === "second", "who wrote to first's unbind has unbound second");
    return Promise.resolve();
  },
};

interface TwoDrivers {
  readonly at: Attached;
  readonly first: ReturnType<Attached["driver"]>;
  readonly second: ReturnType<Attached["driver"]>;
}

const expected: Program<TwoDrivers> = {
  name: "detach that names the driver it expects, while another takes its place",
  setup(world) {
    const at = new Attached(world, { match: () => false });
    const first = at.driver("first");
    const second = at.driver("second");
    world.task("unbind first", async () => {
      await at.outcome(() => at.system.detach(at.device, first), "ENODEV");
    });
    world.task("rebind", async () => {
      await at.outcome(() => at.system.detach(at.device, first), "ENODEV");
      await at.system.attach(at.device, second);
    });
    return { at, first, second };
  },
  async before({ at, first, second }) {
    await at.system.addDevice(at.device);
    await at.system.registerDriver(first);
    await at.system.registerDriver(second);
    await at.system.attach(at.device, first);
  },
  after({ at, first, second }, world) {
    world.expect(at.device.driver === second, "second was unbound by who meant first");
    return at.end(first, second);
  },
};

export const unbindTheOther: Dispute = {
  id: "D6.7",
  thread: "device-bind-driver",
  title: "unbind looks first and releases later",
  argued:
    "The file unbind compares the device's driver without its lock, and then releases whatever is bound once it has " +
    "the lock. Nobody on the thread mentioned it.",
  found:
    "Between the look and the release another driver can take the device, and is thrown out by somebody who never " +
    "named it. A detach that names the driver it expects, compared under the lock, does not.",
  variants: [
    {
      name: "as the kernel has it",
      program: byHand,
      expected: "unsafe",
      finds: "expectation",
      options: { ignore: ["data-race"] },
    },
    { name: "detach passes the driver it expects", program: expected, expected: "safe" },
  ],
};
