/** D2.2, D2.3: the node appears while the driver is still being set up. */
import { Device, DeviceNode, KernelError, Mutex } from "parhelion-core";
import type { Program } from "../../../program.js";
import type { Dispute } from "../../dispute.js";
import { define, lookPastRaces } from "../parts/define.js";
import { createMachine, driverOf, takeDown } from "../parts/machine.js";

type NodeAppears = "with the module" | "with the module, and opens empty" | "with the global channel";

function program(appears: NodeAppears): Program {
  return define({
    name: `node appears ${appears}`,
    setup(world) {
      const machine = createMachine(world);
      const { system, vmbus } = machine;
      const global = world.track("dxgglobal", { channel: null as Device | null });
      const lock = new Mutex(world.runtime, "channel_lock");
      const node = new DeviceNode(world.runtime, {
        name: "dxg",
        open: async () => {
          const channel = await lock.withLock(() => global.channel);
          if (channel === null && appears !== "with the module, and opens empty")
            throw new KernelError("EBADF", "there is no process on the host without the global channel");
          return { request: () => "" };
        },
      });
      const nodeDevice = new Device(world.runtime, { name: "dxg", node });
      const channel = new Device(world.runtime, { name: "global", bus: vmbus });
      const driver = driverOf<Device>("dxgkrnl", vmbus, async (device) => {
        await lock.withLock(() => {
          global.channel = device;
        });
        if (appears === "with the global channel") await system.addDevice(nodeDevice);
      });
      world.task("host offers the global channel", () => system.addDevice(channel));
      world.task("user", async () => {
        await world.point("look for the node");
        const found = system.nodes.get("dxg");
        if (found === undefined) return;
        const file = await found.open().catch(() => null);
        world.expect(file !== null, "the node is there and can't be opened");
        await file?.close();
      });
      return { machine, driver, nodeDevice, channel };
    },
    async before({ machine, driver, nodeDevice }) {
      if (appears !== "with the global channel") await machine.system.addDevice(nodeDevice);
      await machine.system.registerDriver(driver);
    },
    async after({ machine, driver, nodeDevice, channel }) {
      await takeDown(machine, [driver], [nodeDevice, channel]);
    },
  });
}

export const visibleBeforeUsable: Dispute = {
  id: "D2.2",
  thread: "dxgkrnl",
  title: "The node is visible before the global channel is there",
  argued:
    "The node is registered when the module is loaded; an open before the global channel arrives fails, and " +
    "the library closes and tries again once, for three of its calls.",
  found:
    "A user who comes between the two is told EBADF by a node that is there. Either cure holds: the node " +
    "appears when all it needs exists, or an open before that succeeds with nothing in it.",
  variants: [
    {
      name: "as posted: with the module",
      program: program("with the module"),
      expected: "unsafe",
      finds: "expectation",
    },
    {
      name: "when the global channel is bound",
      program: program("with the global channel"),
      expected: "safe",
    },
    {
      name: "with the module, an early open sees no adapters",
      program: program("with the module, and opens empty"),
      expected: "safe",
    },
  ],
};

function initProgram(order: "node first" | "pointer first"): Program {
  return define({
    name: `module init, ${order}`,
    setup(world) {
      const { system } = createMachine(world);
      const module = world.track("dxgdrv", { global: null as { opens: number } | null });
      const node = new DeviceNode(world.runtime, {
        name: "dxg",
        open: () => {
          // As the driver does: it can't be null here.
          const global = module.global as { opens: number };
          global.opens += 1;
          return { request: () => "" };
        },
      });
      const device = new Device(world.runtime, { name: "dxg", node });
      const assign = async () => {
        await world.point("assign the pointer");
        module.global = { opens: 0 };
      };
      world.task("init", async () => {
        if (order === "pointer first") await assign();
        await system.addDevice(device);
        if (order === "node first") await assign();
      });
      world.task("user", async () => {
        await world.point("look for the node");
        const file = await system.nodes.get("dxg")?.open();
        await file?.close();
      });
      return { system, device };
    },
    async after({ system, device }) {
      await system.unregisterDevice(device);
    },
  });
}

export const openBeforeAssignment: Dispute = {
  id: "D2.3",
  thread: "dxgkrnl",
  title: "Open between the node's registration and the assignment of the global pointer",
  argued:
    "Nobody argued about it: it follows from the order of two statements in the module's init function.",
  found:
    "An open between the two uses a null pointer. With the pointer assigned first there is no such moment.",
  variants: [
    {
      name: "as posted: node, then pointer",
      program: initProgram("node first"),
      expected: "unsafe",
      finds: "exception",
      options: lookPastRaces,
    },
    { name: "pointer, then node", program: initProgram("pointer first"), expected: "safe" },
  ],
};
