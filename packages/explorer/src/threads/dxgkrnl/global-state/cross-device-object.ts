/** D1.10: a synchronisation object that two functions share, in a design that has state per device only. */
import { type Bus, Device, Refcount, RwLock } from "parhelion-core";
import type { Program } from "../../../program.js";
import type { Dispute } from "../../dispute.js";
import { define, lookPastRaces } from "../parts/define.js";
import { createMachine, driverOf, takeDown } from "../parts/machine.js";

type Home = "the function that created it" | "the parent of both";

function program(home: Home): Program {
  return define({
    name: `an object of two functions lives with ${home}`,
    setup(world) {
      const machine = createMachine(world);
      const { system, vmbus } = machine;
      const compute: Bus = { name: "compute", match: () => true };
      system.registerBus(compute);
      const parent = new Device(world.runtime, { name: "global", bus: vmbus });
      const functions = ["F1", "F2"].map((name) => new Device(world.runtime, { name, parent, bus: compute }));
      const [f1, f2] = functions as [Device, Device];
      const shared = world.allocate("sync object", { value: 1 });
      const byParent = home === "the parent of both";
      // One for each function that uses it.
      const refs = byParent
        ? new Refcount(world.runtime, "references to the sync object", () => world.free(shared))
        : null;
      const lock = new RwLock(world.runtime, "core_lock of F2");
      const state = world.track("F2", { is: "active" });
      const driver = driverOf<Device>(
        "compute",
        compute,
        () => {},
        async (device) => {
          if (device === f1 && refs === null) world.free(shared);
          if (device === f2) {
            await lock.withWrite(() => {
              state.is = "stopped";
            });
          }
          refs?.put();
        },
      );
      world.task("user of F2 signals", () =>
        lock.withRead(async () => {
          if (state.is !== "active") return;
          await world.point("signal");
          world.expect(shared.value === 1, "the object is somebody else's");
        }),
      );
      world.task("F1 goes", () => system.removeDevice(f1));
      return {
        machine,
        drivers: [driver, driverOf<Device>("global", vmbus, () => {})],
        parent,
        functions,
        refs,
      };
    },
    async before({ machine, drivers, parent, functions, refs }) {
      refs?.get();
      for (const driver of drivers) await machine.system.registerDriver(driver);
      for (const device of [parent, ...functions]) await machine.system.addDevice(device);
    },
    async after({ machine, drivers, parent, functions }) {
      await takeDown(machine, drivers, [...functions, parent]);
    },
  });
}

export const crossDeviceObject: Dispute = {
  id: "D1.10",
  thread: "dxgkrnl",
  title: "An object of two devices, where all state belongs to one device",
  argued:
    "The author needed global data for what spans devices: synchronisation and shared resources. The reviewer: " +
    "hang it off the device node's structure.",
  found:
    "State per device is not enough here: an object that lives with the function that created it is gone while " +
    "the other function's users signal it. It needs a home that both devices have in common, their parent, and " +
    "a reference for each: no global data, but not one device's either.",
  variants: [
    {
      name: "it lives with the function that created it",
      program: program("the function that created it"),
      expected: "unsafe",
      finds: "use-after-free",
      options: lookPastRaces,
    },
    { name: "counted, on the parent of both", program: program("the parent of both"), expected: "safe" },
  ],
};
