/** D1.7: the global channel goes while two adapters have fence pages in its window. */
import { type Bus, Device, RwLock } from "parhelion-core";
import type { Program, World } from "../../../program.js";
import type { Dispute } from "../../dispute.js";
import { define, lookPastRaces } from "../parts/define.js";
import { createMachine, driverOf, takeDown } from "../parts/machine.js";

interface Adapter {
  readonly name: string;
  readonly lock: RwLock;
  readonly state: { is: "active" | "stopped" };
}

function createAdapter(world: World, name: string): Adapter {
  return {
    name,
    lock: new RwLock(world.runtime, `core_lock of ${name}`),
    state: world.track(name, { is: "active" }),
  };
}

/** Polls a fence, as a thread that has mapped it does. */
async function poll(world: World, { lock, state }: Adapter, window: { fence: number }): Promise<void> {
  const guard = await lock.read();
  if (state.is === "active") {
    await world.point("poll");
    world.expect(window.fence === 0, "the fence is somebody else's");
  }
  guard.release();
}

function asPosted(): Program {
  return define({
    name: "window freed with the global channel",
    setup(world) {
      const window = world.allocate("I/O window", { fence: 0 });
      for (const name of ["F1", "F2"])
        world.task(`user of ${name}`, () => poll(world, createAdapter(world, name), window));
      world.task("rescind", async () => {
        await world.point("global channel is removed");
        world.free(window);
      });
    },
  });
}

/** The parent owns the window, its children have slices of it and go first. */
function parentOwns(): Program {
  return define({
    name: "window owned by the parent of the adapters",
    setup(world) {
      const machine = createMachine(world);
      const { system, vmbus } = machine;
      const auxiliary: Bus = { name: "auxiliary", match: () => true };
      system.registerBus(auxiliary);
      const window = world.allocate("I/O window", { fence: 0 });
      const channel = new Device(world.runtime, { name: "global", bus: vmbus });
      const adapters = ["F1", "F2"].map((name) => createAdapter(world, name));
      const parentDriver = driverOf<Device>("dxgkrnl", vmbus, async (device) => {
        device.devres.addAction(() => world.free(window));
        for (const { name } of adapters) {
          const child = new Device(world.runtime, { name, parent: device, bus: auxiliary });
          await system.addDevice(child);
          device.devres.addAction(() => system.unregisterDevice(child));
        }
      });
      const childDriver = driverOf<Device>(
        "compute",
        auxiliary,
        () => {},
        async (device) => {
          const adapter = adapters.find(({ name }) => name === device.name) as Adapter;
          await adapter.lock.withWrite(() => {
            adapter.state.is = "stopped";
          });
        },
      );
      for (const adapter of adapters)
        world.task(`user of ${adapter.name}`, () => poll(world, adapter, window));
      world.task("rescind", () => system.removeDevice(channel));
      return { machine, channel, drivers: [parentDriver, childDriver] };
    },
    async before({ machine, channel, drivers }) {
      for (const driver of drivers) await machine.system.registerDriver(driver);
      await machine.system.addDevice(channel);
    },
    async after({ machine, channel, drivers }) {
      await takeDown(machine, drivers, [channel]);
    },
  });
}

export const sharedWindow: Dispute = {
  id: "D1.7",
  thread: "dxgkrnl",
  title: "One I/O window for all, and the channel it came with goes",
  argued:
    "The author called the window global because all vGPUs share it. The reviewer's answer was the auxiliary " +
    "bus: a parent owns what is shared, its children get slices.",
  found:
    "As posted the window is freed under adapters that are still active, and no lock of theirs is involved, so " +
    "any poll after it reads freed memory. With the window on the parent's devres, registered before its " +
    "children, the core itself removes the children first, in every order.",
  variants: [
    {
      name: "as posted: freed with the global channel",
      program: asPosted(),
      expected: "unsafe",
      finds: "use-after-free",
      options: lookPastRaces,
    },
    { name: "as proposed: a parent owns it, children go first", program: parentOwns(), expected: "safe" },
  ],
};
