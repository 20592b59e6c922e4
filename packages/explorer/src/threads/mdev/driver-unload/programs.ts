/** The mdev driver's module goes while mdevs are created and used. */
import { type Driver, Mutex, noDeadline, WaitQueue } from "parhelion-core";
import type { Program } from "../../../program.js";
import { answerOf } from "../parts/mdev-core.js";
import { MdevBus } from "../parts/on-system.js";

interface Shared {
  readonly on: MdevBus;
  readonly driver: Driver;
}

export const onTheCore: Program<Shared> = {
  name: "create while the driver goes",
  setup(world) {
    const on = new MdevBus(world);
    const driver = on.driver(world);
    world.task("create", async () => {
      await answerOf(() => on.system.attach(on.mdev, driver), "ENODEV");
    });
    world.task("rmmod", () => on.system.unregisterDriver(driver));
    return { on, driver };
  },
  async before({ on, driver }) {
    await on.system.addDevice(on.mdev);
    await on.system.registerDriver(driver);
  },
  async after({ on }, world) {
    world.expect(on.driven === 0 && !on.mdev.bound, "an mdev is bound to a driver that has gone");
    await on.system.unregisterDevice(on.mdev);
  },
};

interface Module {
  driver: { readonly probe: string } | null;
}

/** Who binds has the driver and no promise that it stays; who unregisters walks the list of what is bound. */
export const byHand: Program<Module> = {
  name: "create while the driver goes, by hand",
  setup(world) {
    const lock = new Mutex(world.runtime, "driver's devices");
    const list = world.track("driver's devices", { bound: [] as readonly string[] });
    const module: Module = { driver: null };
    world.task("create", async () => {
      await world.point("probe");
      void module.driver?.probe;
      await lock.withLock(() => {
        list.bound = [...list.bound, "mdev"];
      });
    });
    world.task("rmmod", async () => {
      await lock.withLock(() => {
        list.bound = [];
      });
      if (module.driver !== null) world.free(module.driver);
    });
    return module;
  },
  async before(module, world) {
    module.driver = world.allocate("module", { probe: "code" });
  },
};

/** The module is held only while a file is open, and unregistering waits for files. */
export function openWhileUnloading(user: "never closes" | "closes"): Program<Shared> {
  return {
    name: `open while unloading, the user ${user}`,
    setup(world) {
      const on = new MdevBus(world);
      const files = { name: "open files" };
      const closed = new WaitQueue(world.runtime, "close");
      let open = 1;
      const driver: Driver = {
        ...on.driver(world),
        async remove() {
          await closed.wait(
            () => {
              world.reads(files);
              return open === 0;
            },
            { deadline: noDeadline },
          );
          on.driven -= 1;
        },
      };
      world.task("rmmod", () => on.system.unregisterDriver(driver, { deadline: noDeadline }));
      world.task("user", async () => {
        if (user === "never closes") return;
        await world.point("at work");
        world.writes(files);
        open -= 1;
        closed.wake();
      });
      return { on, driver };
    },
    async before({ on, driver }) {
      await on.system.addDevice(on.mdev);
      await on.system.registerDriver(driver);
      await on.system.attach(on.mdev, driver);
    },
    async after({ on }, world) {
      world.expect(on.driven === 0, "the driver has gone and its mdev was not removed");
      await on.system.unregisterDevice(on.mdev);
    },
  };
}
