import type { Program } from "../../../program.js";
import type { Dispute } from "../../dispute.js";
import { deviceWithNode } from "../gpu-driver.js";

/** The node is announced, then the count that open needs is set: an opener that reacts to the news comes too early. */
function register(order: "node first" | "count first"): Program {
  return {
    name: `a device is registered, ${order}, while somebody waits for its node`,
    setup(world) {
      const visible = world.atomic("node is visible", false);
      const registrations = world.atomic("registrations", 0);
      world.task("register", async () => {
        if (order === "count first") await registrations.store(1);
        await visible.store(true);
        if (order === "node first") await registrations.store(1);
      });
      world.task("opener", async () => {
        if (!(await visible.load())) return;
        world.expect((await registrations.load()) > 0, "ENODEV from a node that has just been announced");
      });
    },
  };
}

const shipped: Program = {
  name: "a device is added while somebody opens its node as soon as it is there",
  setup(world) {
    const { system, device } = deviceWithNode(world);
    world.task("add", () => system.addDevice(device));
    world.task("opener", async () => {
      const node = system.nodes.get("gpu0");
      if (node === undefined) return;
      const file = await node.open();
      await file.request("read");
      await file.close();
    });
    return { system, device };
  },
  after: (shared) => {
    const { system, device } = shared as ReturnType<typeof deviceWithNode>;
    return system.unregisterDevice(device);
  },
};

export const nodeBeforeCount: Dispute = {
  id: "D8.5",
  thread: "char-devices",
  title: "A node that is visible before it can be opened",
  argued:
    "VFIO adds the node and then sets the count that an open takes: for a moment the node is there and says ENODEV.",
  found: "An opener that acts on the announcement can meet that moment. Shown last, the node never refuses.",
  variants: [
    {
      name: "node first (as VFIO)",
      program: register("node first"),
      expected: "unsafe",
      finds: "expectation",
    },
    { name: "count first", program: register("count first"), expected: "safe" },
    { name: "the nodes that ship", program: shipped, expected: "safe" },
  ],
};
