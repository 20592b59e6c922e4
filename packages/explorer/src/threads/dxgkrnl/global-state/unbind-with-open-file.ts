/** D1.9: an open file keeps the module, but not the binding: anybody may unbind the device through sysfs. */
import { Device, DeviceNode, type Driver, KernelError, Refcount, RwLock } from "parhelion-core";
import type { Program } from "../../../program.js";
import type { Dispute } from "../../dispute.js";
import { define, lookPastRaces } from "../parts/define.js";
import { createMachine, driverOf, takeDown, unlessGone } from "../parts/machine.js";

type Lifetime = "of the binding" | "counted, taken by get" | "counted, taken by tryGet";

function program(lifetime: Lifetime): Program {
  const counted = lifetime !== "of the binding";
  return define({
    name: `unbind with an open file, adapter's lifetime ${lifetime}`,
    setup(world) {
      const machine = createMachine(world);
      const { system, pci } = machine;
      const adapter = world.allocate("adapter", { state: "active" });
      const lock = new RwLock(world.runtime, "core_lock");
      const refs = counted
        ? new Refcount(world.runtime, "references to the adapter", () => world.free(adapter))
        : null;
      const take = () => {
        if (lifetime === "counted, taken by get") refs?.get();
        else if (refs?.tryGet() === false) throw new KernelError("ENODEV", "the adapter is gone");
      };
      const driver: Driver = driverOf<Device>(
        "dxgkrnl",
        pci,
        () => {},
        async () => {
          await lock.withWrite(() => {
            adapter.state = "stopped";
          });
          // Without counting the binding's end is the adapter's end, whoever has it open.
          if (refs === null) world.free(adapter);
          else refs.put();
        },
      );
      const node = new DeviceNode<string, string>(world.runtime, {
        name: "dxg",
        open: () => {
          take();
          return {
            request: () => lock.withRead(() => adapter.state),
            release: () => refs?.put(),
          };
        },
      });
      const control = new Device(world.runtime, { name: "dxg", node });
      const device = new Device(world.runtime, { name: "F1", bus: pci });
      world.task("user asks and closes", async () => {
        await unlessGone(async () => {
          const file = await node.open();
          await file.request("state");
          await file.close();
        });
      });
      world.task("administrator unbinds", () => system.detach(device));
      return { machine, driver, devices: [device, control] };
    },
    async before({ machine, driver, devices }) {
      await machine.system.registerDriver(driver);
      for (const device of devices) await machine.system.addDevice(device);
    },
    async after({ machine, driver, devices }) {
      await takeDown(machine, [driver], devices);
    },
  });
}

export const unbindWithOpenFile: Dispute = {
  id: "D1.9",
  thread: "dxgkrnl",
  title: "Unbinding a device that has open files",
  argued:
    "State per device was promoted because its lifetime is then handled by the core. The open file holds the " +
    "module, which stops neither sysfs unbind nor a removal.",
  found:
    "State that ends with the binding is read after that by the request under way, with the lock or without: " +
    "the lock was freed too. Counting holds in every order, provided that an open which finds the adapter " +
    "while its last reference goes is refused instead of raising the count from nothing.",
  variants: [
    {
      name: "state ends with the binding",
      program: program("of the binding"),
      expected: "unsafe",
      finds: "use-after-free",
      options: lookPastRaces,
    },
    {
      name: "each file holds a reference, taken whatever the count is",
      program: program("counted, taken by get"),
      expected: "unsafe",
      finds: "exception",
    },
    {
      name: "as posted: each file holds a reference, an open that comes too late is refused",
      program: program("counted, taken by tryGet"),
      expected: "safe",
    },
  ],
};
