/** D2.5: the host refuses to open the adapter once. */
import { Device, isKernelError, KernelError } from "parhelion-core";
import type { Program } from "../../../program.js";
import type { Dispute } from "../../dispute.js";
import { define } from "../parts/define.js";
import { createMachine, driverOf, takeDown } from "../parts/machine.js";

function program(refusal: "is noted in the adapter" | "fails the probe"): Program {
  return define({
    name: `opening the adapter is refused once, which ${refusal}`,
    setup(world) {
      const machine = createMachine(world);
      const { system, pci } = machine;
      const host = world.track("host", { refusals: 1 });
      const adapter = world.track("adapter", { state: "waiting" });
      const driver = driverOf<Device>("dxgkrnl", pci, async () => {
        await world.point("open adapter");
        host.refusals -= 1;
        if (host.refusals < 0) adapter.state = "active";
        else if (refusal === "is noted in the adapter") adapter.state = "stopped";
        else throw new KernelError("EIO", "the host does not open the adapter");
      });
      const device = new Device(world.runtime, { name: "F1", bus: pci });
      const attach = async () => {
        try {
          await system.attach(device, driver);
        } catch (error) {
          // Not there yet, refused by the host, or bound.
          if (!["ENODEV", "EIO", "EBUSY"].some((code) => isKernelError(error, code as "EIO"))) throw error;
        }
      };
      world.task("function appears", () => system.addDevice(device));
      world.task("administrator binds it", attach);
      return { machine, driver, device, adapter, attach };
    },
    async before({ machine, driver }) {
      await machine.system.registerDriver(driver);
    },
    async after({ machine, driver, device, adapter, attach }, world) {
      await attach();
      const { state } = adapter;
      world.expect(
        state === "active",
        `the device is bound, its adapter ${state}, and no bind can change it`,
      );
      await takeDown(machine, [driver], [device]);
    },
  });
}

export const openFailsOnce: Dispute = {
  id: "D2.5",
  thread: "dxgkrnl",
  title: "Bound but dead: the adapter could not be opened",
  argued:
    "Opening happens outside the probe that its result belongs to, so a failure can only be noted. State per " +
    "device would have the probe itself fail.",
  found:
    "As posted the device stays bound to a driver that does nothing for it, and binding it again is refused, " +
    "for it is bound. Where the probe fails the next bind succeeds, in every order of the two.",
  variants: [
    {
      name: "as posted: the adapter is stopped for good",
      program: program("is noted in the adapter"),
      expected: "unsafe",
      finds: "expectation",
    },
    { name: "per device: the probe fails", program: program("fails the probe"), expected: "safe" },
  ],
};
