import type { Device, Driver } from "parhelion-core";
import type { Program } from "../../../program.js";
import type { Dispute } from "../../dispute.js";
import { Observed } from "../observed.js";

interface Shared {
  readonly at: Observed;
  readonly device: Device;
  readonly driver: Driver<Device>;
}

/** Adding, binding by hand, unbinding and removing, all at once. */
const everything: Program<Shared> = {
  name: "a device is added, unbound and removed at once; what is heard of it",
  setup(world) {
    const at = new Observed(world);
    const device = at.device("device");
    const driver = at.driver("driver");
    world.task("unbind", () => at.may(() => at.system.detach(device), "ENODEV"));
    world.task("remove", () => at.may(() => at.system.removeDevice(device), "ENODEV"));
    world.task("add", () => at.system.addDevice(device));
    return { at, device, driver };
  },
  before: ({ at, driver }) => at.system.registerDriver(driver),
  async after({ at, device, driver }, world) {
    await at.may(() => at.system.removeDevice(device), "ENODEV");
    await at.system.unregisterDriver(driver);
    device.put();
    const heard = at.actionsOf(device.devpath);
    world.expect(/^add( bind unbind)* remove$/.test(heard), `heard: ${heard}`);
    for (const { action, keys } of at.events) {
      if (action !== "unbind") continue;
      const named = keys.map(([key]) => key);
      world.expect(
        !named.includes("DRIVER") && !named.includes("MODALIAS"),
        "unbind names a driver, or what to load one by",
      );
    }
  },
};

export const orderOfOneDevice: Dispute = {
  id: "D9.1, D9.5",
  thread: "uevents",
  title: "What is heard of one device, in which order",
  argued:
    "add, then any number of bind and unbind in turn, then remove; unbind tells neither the driver nor what a driver " +
    "could be loaded by. It is written down nowhere, and everything that listens relies on it.",
  found: "It holds here in every order of adding, unbinding and removing.",
  variants: [{ name: "the core that ships", program: everything, expected: "safe" }],
};
