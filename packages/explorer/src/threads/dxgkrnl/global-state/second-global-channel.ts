/** D1.6: the host offers the global channel anew before it takes the old one back. */
import { Device, KernelError, Mutex } from "parhelion-core";
import type { Program } from "../../../program.js";
import type { Dispute } from "../../dispute.js";
import { define } from "../parts/define.js";
import { createMachine, driverOf, takeDown } from "../parts/machine.js";

type Design = "one pointer" | "a list with a lock" | "drvdata";

function program(design: Design): Program {
  return define({
    name: `two global channels, ${design}`,
    setup(world) {
      const machine = createMachine(world);
      const { system, vmbus } = machine;
      const global = world.track("dxgglobal", { channels: [] as readonly Device[] });
      const lock = new Mutex(world.runtime, "list of states");
      const driver = driverOf<Device>(
        "dxgkrnl",
        vmbus,
        (device) => {
          if (design === "drvdata") return { channel: device.name };
          return lock.withLock(() => {
            if (design === "one pointer" && global.channels.length > 0)
              throw new KernelError("EBUSY", "there is a global channel already");
            global.channels = [...global.channels, device];
          });
        },
        (device) =>
          lock.withLock(() => {
            global.channels = global.channels.filter((other) => other !== device);
          }),
      );
      const [old, fresh] = ["g1", "g2"].map((name) => new Device(world.runtime, { name, bus: vmbus })) as [
        Device,
        Device,
      ];
      world.task("host offers g2", () => system.addDevice(fresh));
      world.task("host rescinds g1", () => system.removeDevice(old));
      const usable = () => (design === "drvdata" ? fresh.bound : global.channels.length > 0);
      return { machine, driver, old, fresh, usable };
    },
    async before({ machine, driver, old }) {
      await machine.system.registerDriver(driver);
      await machine.system.addDevice(old);
    },
    async after({ machine, driver, old, fresh, usable }, world) {
      world.expect(usable(), "g2 is there and nobody uses it: its probe failed because g1 was still there");
      await takeDown(machine, [driver], [old, fresh]);
    },
  });
}

export const secondGlobalChannel: Dispute = {
  id: "D1.6",
  thread: "dxgkrnl",
  title: "A second global channel, offered before the first is taken back",
  argued:
    "As posted the driver refuses a second global channel, for there is one pointer to keep it in. Proposed " +
    "instead: a list with a lock, or the state as drvdata of the channel's own device.",
  found:
    "When the offer overtakes the rescind the new channel's probe fails, and nothing probes it again after the " +
    "old one has gone. A list and drvdata both hold in all orders.",
  variants: [
    {
      name: "as posted: one pointer",
      program: program("one pointer"),
      expected: "unsafe",
      finds: "expectation",
    },
    { name: "as proposed: list and lock", program: program("a list with a lock"), expected: "safe" },
    { name: "as proposed: drvdata of the channel", program: program("drvdata"), expected: "safe" },
  ],
};
