import { type Device, type Driver, KernelError } from "parhelion-core";
import type { Program } from "../../../program.js";
import type { Dispute } from "../../dispute.js";
import { Observed } from "../observed.js";

interface Shared {
  readonly at: Observed;
  readonly device: Device;
  readonly driver: Driver<Device>;
}

const program: Program<Shared> = {
  name: "a probe fails while its device is removed; what is heard of it",
  setup(world) {
    const at = new Observed(world);
    const device = at.device("device");
    const driver = at.driver("driver", async () => {
      await world.point("driver: probe fails");
      throw new KernelError("EIO", "as told");
    });
    world.task("attach", () => at.may(() => at.system.attach(device, driver), "EIO", "ENODEV"));
    world.task("remove", () => at.system.removeDevice(device));
    return { at, device, driver };
  },
  async before({ at, device, driver }) {
    await at.system.registerDriver(driver);
    await at.system.addDevice(device);
  },
  async after({ at, device, driver }, world) {
    await at.system.unregisterDriver(driver);
    device.put();
    const heard = at.actionsOf(device.devpath);
    world.expect(heard === "add remove", `heard: ${heard}`);
  },
};

export const failedProbeIsSilent: Dispute = {
  id: "D9.4",
  thread: "uevents",
  title: "A probe that fails is not heard of",
  argued:
    "Notifiers inside the kernel hear of a probe that failed; user space should hear neither bind nor unbind.",
  found: "It hears neither, in every order.",
  variants: [{ name: "the core that ships", program, expected: "safe" }],
};
