/** D2.8: a probe that creates a child and then says "not yet". */
import { type Bus, Device, KernelError } from "parhelion-core";
import type { Program } from "../../../program.js";
import type { Dispute } from "../../dispute.js";
import { define } from "../parts/define.js";
import { createMachine, driverOf, takeDown } from "../parts/machine.js";

/** More than all that could have changed meanwhile. */
const enough = 4;

function program(defers: "after creating a child" | "before"): Program {
  return define({
    name: `probe defers ${defers}`,
    setup(world) {
      const machine = createMachine(world, "pci");
      const { system, pci, vmbus } = machine;
      const compute: Bus = { name: "compute", match: () => true };
      system.registerBus(compute);
      const count = world.track("driver", { probes: 0 });
      const channel = new Device(world.runtime, { name: "channel", bus: vmbus });
      const device = new Device(world.runtime, { name: "F1", bus: pci });
      const createChild = async () => {
        const child = new Device(world.runtime, {
          name: `compute${count.probes}`,
          parent: device,
          bus: compute,
        });
        await system.addDevice(child);
        device.devres.addAction(() => system.unregisterDevice(child));
      };
      const driver = driverOf<Device>("dxgkrnl", pci, async () => {
        count.probes += 1;
        world.expect(
          count.probes < enough,
          `F1 is probed ${count.probes} times though one thing has changed`,
        );
        if (defers === "after creating a child") await createChild();
        if (!channel.bound) throw new KernelError("EPROBE_DEFER", "its channel is missing");
        if (defers === "before") await createChild();
      });
      const drivers = [driver, driverOf("compute", compute, () => {}), driverOf("vmbus", vmbus, () => {})];
      for (const one of [device, channel]) one.uevents = "suppressed";
      world.task("function appears", () => system.addDevice(device));
      world.task("channel is bound", () => system.attach(channel, drivers[2] as never));
      return { machine, drivers, devices: [device, channel] };
    },
    async before({ machine, drivers, devices }) {
      for (const driver of drivers) await machine.system.registerDriver(driver);
      await machine.system.addDevice(devices[1] as Device);
    },
    async after({ machine, drivers, devices }) {
      await machine.system.waitForProbe();
      await takeDown(machine, drivers, devices);
    },
  });
}

export const deferAfterSideEffects: Dispute = {
  id: "D2.8",
  thread: "dxgkrnl",
  title: "A deferred probe that has done something already",
  argued:
    "Deferring is the obvious replacement for the global meeting point. The documentation says that a probe " +
    "must not create children before it defers.",
  found:
    "Each child that is bound makes the core try the deferred devices again, so a probe that creates one and " +
    "then defers causes its own retry, for as long as the channel stays away. Deferring first ends after three " +
    "probes at most.",
  variants: [
    {
      name: "the child first, then EPROBE_DEFER",
      program: program("after creating a child"),
      expected: "unsafe",
      finds: "expectation",
      // There are as many orders as retries.
      options: { afterFailure: "stop" },
    },
    { name: "EPROBE_DEFER before anything else", program: program("before"), expected: "safe" },
  ],
};
