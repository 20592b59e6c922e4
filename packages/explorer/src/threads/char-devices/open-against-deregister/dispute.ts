import { Mutex, Refcount } from "parhelion-core";
import type { Program, World } from "../../../program.js";
import type { Dispute } from "../../dispute.js";
import { type DeviceWithNode, deviceWithNode, useOnce } from "../gpu-driver.js";

interface State {
  gone: boolean;
  registers: number;
}

/**
 * A misc device: open looks the minor up and calls the driver under one mutex, deregistering takes the entry away under
 * it. Files that are open by then are not told.
 */
function misc(memory: "freed at deregister" | "counted"): Program {
  return {
    name: `a misc device is opened and used while it is deregistered, its memory ${memory}`,
    setup(world) {
      const table = new Mutex(world.runtime, "misc_mtx");
      const lock = new Mutex(world.runtime, "device's lock");
      const minors = world.track("minors", { entry: true });
      const state = world.allocate<State>("driver's state", { gone: false, registers: 0 });
      const count = new Refcount(world.runtime, "driver's count", () => world.free(state));
      world.task("user", async () => {
        const found = await table.withLock(() => {
          if (minors.entry && memory === "counted") count.get();
          return minors.entry;
        });
        if (!found) return;
        await request(world, memory, lock, state);
        if (memory === "counted") count.put();
      });
      world.task("unplug", async () => {
        await table.withLock(() => {
          minors.entry = false;
        });
        if (memory === "counted") {
          await lock.withLock(() => {
            state.gone = true;
          });
        }
        await world.point("deregistered");
        count.put();
      });
    },
  };
}

async function request(world: World, memory: string, lock: Mutex, state: State): Promise<void> {
  if (memory === "freed at deregister") {
    await world.point("request");
    state.registers += 1;
    return;
  }
  await lock.withLock(() => {
    if (!state.gone) state.registers += 1;
  });
}

const shipped: Program<DeviceWithNode> = {
  name: "a node is opened, asked and closed while its device is removed",
  setup(world) {
    const all = deviceWithNode(world);
    world.task("user", () => useOnce(all));
    world.task("unplug", () => all.system.unregisterDevice(all.device));
    return all;
  },
  before: ({ system, device }) => system.addDevice(device),
};

export const openAgainstDeregister: Dispute = {
  id: "D8.1",
  thread: "char-devices",
  title: "A misc device is opened while it goes",
  argued:
    "The table's mutex makes open find the device or not find it. Whoever found it keeps using it, and deregistering " +
    "does not touch open files; in a dozen drivers at once this was a use after free.",
  found:
    "Memory that is freed at deregistration is used afterwards. Counted memory, with a test for gone under a lock in " +
    "every operation, survives; nodes here do that for all drivers.",
  variants: [
    {
      name: "memory freed at deregistration",
      program: misc("freed at deregister"),
      expected: "unsafe",
      finds: "use-after-free",
      options: { ignore: ["data-race"] },
    },
    { name: "memory counted, gone tested under a lock", program: misc("counted"), expected: "safe" },
    { name: "the nodes that ship", program: shipped, expected: "safe" },
  ],
};
