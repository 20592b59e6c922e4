/** D2.9: the PCI function depends on its channel, and the core is told so with a device link. */
import { Device, isKernelError, RwLock } from "parhelion-core";
import type { Program } from "../../../program.js";
import type { Dispute } from "../../dispute.js";
import { Channel } from "../parts/channel.js";
import { define, lookPastRaces } from "../parts/define.js";
import { createMachine, driverOf, takeDown } from "../parts/machine.js";

type Design = "no link" | "linked, remove gives up at the first error" | "linked, remove goes on";

function program(design: Design): Program {
  return define({
    name: `channel goes under its function, ${design}`,
    setup(world) {
      const machine = createMachine(world);
      const { system, pci, vmbus } = machine;
      const channel = new Channel(world, "channel of F1");
      const supplier = new Device(world.runtime, { name: "channel", bus: vmbus });
      const consumer = new Device(world.runtime, { name: "F1", bus: pci });
      const lock = new RwLock(world.runtime, "core_lock");
      const ring = world.allocate("ring buffer", { used: 0 });
      const adapter = world.allocate("adapter", { name: "F1" });
      const state = world.track("F1", { is: "active" });
      const close = async () => {
        try {
          await channel.request("close adapter");
        } catch (error) {
          if (design === "linked, remove gives up at the first error" || !isKernelError(error, "ENODEV"))
            throw error;
        }
      };
      const channelDriver = driverOf<Device>(
        "channel",
        vmbus,
        () => {},
        () => world.free(ring),
      );
      const functionDriver = driverOf<Device>(
        "function",
        pci,
        () => {
          if (design !== "no link") system.addLink(consumer, supplier);
        },
        async () => {
          await lock.withWrite(() => {
            state.is = "stopped";
          });
          await close();
          world.free(adapter);
        },
      );
      world.task("user", () =>
        lock.withRead(async () => {
          if (state.is !== "active") return;
          await world.point("send");
          world.expect(ring.used === 0 && adapter.name === "F1", "the ring is in use");
        }),
      );
      world.task("host takes the channel back", async () => {
        channel.rescind();
        await system.removeDevice(supplier);
      });
      return { machine, drivers: [channelDriver, functionDriver], supplier, consumer };
    },
    async before({ machine, drivers, supplier, consumer }) {
      for (const driver of drivers) await machine.system.registerDriver(driver);
      await machine.system.addDevice(supplier);
      await machine.system.addDevice(consumer);
    },
    async after({ machine, drivers, supplier, consumer }) {
      await takeDown(machine, drivers, [consumer, supplier]);
    },
  });
}

export const linkedChannel: Dispute = {
  id: "D2.9",
  thread: "dxgkrnl",
  title: "A device link from the function to its channel, and the channel goes",
  argued:
    "The driver core can be told that one device depends on another, instead of a list in the driver that " +
    "knows it. It then unbinds the dependent one first, even where the other is already gone at the host.",
  found:
    "Without the link the channel's ring is freed under requests. With it no request meets a missing ring in " +
    "any order, but the function's remove has to expect ENODEV from the host and go on: one that gives up " +
    "leaves its adapter behind.",
  variants: [
    {
      name: "no link",
      program: program("no link"),
      expected: "unsafe",
      finds: "use-after-free",
      options: lookPastRaces,
    },
    {
      name: "linked, remove gives up when the host does not answer",
      program: program("linked, remove gives up at the first error"),
      expected: "unsafe",
      finds: "leak",
    },
    { name: "linked, remove goes on", program: program("linked, remove goes on"), expected: "safe" },
  ],
};
