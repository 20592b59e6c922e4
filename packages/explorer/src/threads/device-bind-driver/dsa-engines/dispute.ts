/**
 * An accelerator's engines are given to uses by binding: in the kernel, in user space, or as DMA channels. An older
 * interface has one file for all and picks the driver by the engine's type.
 */
import type { Atomic, Program, World } from "../../../program.js";
import type { Dispute } from "../../dispute.js";
import { Attached } from "../attached.js";

interface Engine {
  use: "none" | "kernel" | "user";
}

/** The bind of its own: it looks at the engine and enables it, with no lock of the core's. */
async function ownBind(
  world: World,
  engine: Engine,
  users: Atomic<number>,
  use: "kernel" | "user",
): Promise<void> {
  await world.point("is the engine free?");
  if (engine.use !== "none") return;
  await world.point("enable the engine");
  engine.use = use;
  const others = await users.update((count) => count + 1);
  world.expect(others === 0, `the engine is enabled for ${use} while another use has it`);
}

const ownBinding: Program = {
  name: "two uses take one engine through a bind of the driver's own",
  setup(world) {
    const engine = world.track<Engine>("engine", { use: "none" });
    const users = world.atomic("users of the engine", 0);
    world.task("compatible file", () => ownBind(world, engine, users, "kernel"));
    world.task("new file", () => ownBind(world, engine, users, "user"));
  },
};

interface Uses {
  readonly at: Attached;
  readonly drivers: Record<"kernel" | "user", ReturnType<Attached["driver"]>>;
}

const onAttach: Program<Uses> = {
  name: "the compatible file picks a driver and attaches it, while the new file attaches another",
  setup(world) {
    const at = new Attached(world, { match: () => false });
    const drivers = { kernel: at.driver("kernel"), user: at.driver("user") };
    const type = world.track("type of the engine", { use: "kernel" as const });
    world.task("compatible file", async () => {
      const driver = drivers[type.use];
      await at.outcome(() => at.system.attach(at.device, driver), "EBUSY");
    });
    world.task("new file", async () => {
      await at.outcome(() => at.system.attach(at.device, drivers.user), "EBUSY");
    });
    world.task("give back", async () => {
      await at.outcome(() => at.system.detach(at.device, drivers.user), "ENODEV");
    });
    return { at, drivers };
  },
  async before({ at, drivers }) {
    await at.system.addDevice(at.device);
    await at.system.registerDriver(drivers.kernel);
    await at.system.registerDriver(drivers.user);
  },
  after: ({ at, drivers }) => at.end(drivers.kernel, drivers.user),
};

export const dsaEngines: Dispute = {
  id: "D6 dsa",
  thread: "device-bind-driver",
  title: "Engines given to uses by binding (DSA's compatibility driver)",
  argued:
    "The second user that the new interface needed: a driver with a bind of its own wants a way from its old file to " +
    "ordinary binding without a break.",
  found:
    "With a bind of its own two uses can have one engine. When the old file only picks the driver and attaches it, old " +
    "and new files can be written at once and exactly one use has the engine.",
  variants: [
    {
      name: "a bind of its own",
      program: ownBinding,
      expected: "unsafe",
      finds: "expectation",
      options: { ignore: ["data-race"] },
    },
    { name: "the old file attaches", program: onAttach, expected: "safe" },
  ],
};
