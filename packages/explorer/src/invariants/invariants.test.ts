import assert from "node:assert/strict";
import { test } from "node:test";
import { type Bus, Device, DeviceNode, type Driver, isKernelError, miscClass, System } from "parhelion-core";
import { check } from "../check.js";
import type { Program, World } from "../program.js";
import { independent } from "./independent.js";
import { watchDriver } from "./watch-driver.js";
import { type SystemWatch, watchSystem } from "./watch-system.js";

const bus: Bus<Device, Driver<Device>> = { name: "toy", match: () => true };

interface Toy {
  readonly system: System;
  readonly device: Device;
  readonly driver: Driver<Device>;
  readonly watch: SystemWatch;
}

/** A system with a device and its driver, watched; they are there before the tasks, and gone after them. */
function toy(name: string, tasks: (world: World, toy: Toy) => void): Program<Toy> {
  return {
    name,
    setup(world) {
      const system = new System(world.runtime);
      system.registerBus(bus);
      system.registerClass(miscClass);
      const watch = watchSystem(world, system, [bus]);
      const driver = watchDriver<Device, void>(world, {
        name: "driver",
        bus,
        probe: () => world.point("probe"),
        remove: () => world.point("remove"),
      });
      const shared = { system, watch, driver, device: new Device(world.runtime, { name: "device", bus }) };
      tasks(world, shared);
      return shared;
    },
    async before({ system, device, driver }) {
      await system.addDevice(device);
      await system.registerDriver(driver);
    },
    async after({ system, device, driver }) {
      if (device.registered) await system.removeDevice(device);
      device.put();
      await system.unregisterDriver(driver);
    },
  };
}

const quietly = async (work: Promise<unknown>): Promise<void> => {
  try {
    await work;
  } catch (error) {
    if (!isKernelError(error)) throw error;
  }
};

test("the core keeps all of it while a device is attached, detached and removed at once", async () => {
  const program = toy("core", (world, { system, device, driver }) => {
    world.task("detach", () => quietly(system.detach(device)));
    world.task("attach", () => quietly(system.attach(device, driver)));
    world.task("remove", () => quietly(system.removeDevice(device)));
  });
  const { verdict, failure } = await check(program, { method: { preemptions: [0, 1] }, maxRuns: 3000 });
  assert.equal(failure, null);
  assert.notEqual(verdict, "unsafe");
});

const broken: readonly (readonly [string, RegExp, (world: World, toy: Toy) => void])[] = [
  [
    "a driver that is set by hand",
    /^\/devices\/device is bound, and its driver is none$/,
    (world, { device }) =>
      world.task("hand", async () => {
        Object.defineProperty(device, "driver", { value: null });
      }),
  ],
  [
    "a remove that is called by hand",
    /^driver is removing device, which is unbound: each probe/,
    (world, { device, driver, system }) =>
      world.task("hand", async () => {
        await driver.remove?.(device, undefined);
        await system.detach(device);
      }),
  ],
  [
    "a probe that is called by hand",
    /^driver is probing device, which is bound: each probe/,
    (world, { device, driver }) => world.task("hand", async () => void (await driver.probe(device))),
  ],
  [
    "an unbinding that nobody hears of",
    /^remove of \/devices\/device is told after bind: it is add/,
    (world, { device, system }) =>
      world.task("hand", async () => {
        device.uevents = "suppressed";
        await system.detach(device);
        device.uevents = "sent";
        await system.removeDevice(device);
      }),
  ],
];

for (const [name, message, tasks] of broken) {
  test(`${name} is seen`, async () => {
    const { failure } = await check(toy(name, tasks), { ignore: ["data-race"] });
    assert.equal(failure?.kind, "invariant");
    assert.match(failure?.message ?? "", message);
  });
}

/** A request on the node of one device, while another device is removed: the file is said to be of either. */
function asking(of: "its own device" | "another device"): Program {
  return toy(`asking ${of}`, (world, { system, device, watch }) => {
    const node = new DeviceNode<string, string>(world.runtime, {
      name: "node",
      open: () => ({ request: (text) => text }),
    });
    const nodeDevice = new Device(world.runtime, { name: "node", class: miscClass, node });
    world.task("ask", async () => {
      await system.addDevice(nodeDevice);
      const file = await node.open();
      watch.watchFile(file, of === "its own device" ? nodeDevice : device);
      await system.removeDevice(of === "its own device" ? nodeDevice : device);
      await quietly(file.request("hello"));
      await file.close();
      if (nodeDevice.registered) await system.removeDevice(nodeDevice);
      nodeDevice.put();
    });
  });
}

test("a request that succeeds after the removal is seen", async () => {
  const wrong = await check(asking("another device"));
  assert.match(
    wrong.failure?.message ?? "",
    /^a request on node#1 succeeds though \/devices\/device was removed/,
  );
  const right = await check(asking("its own device"));
  assert.equal(right.failure, null);
});

/** One task takes from a pool; the other takes from the same pool, or from its own. */
function taking(pools: "one" | "two", tasks: readonly string[]): Program {
  return {
    name: `${tasks.join(" and ")} of ${pools}`,
    setup(world) {
      const pool = world.pool("pool", 1);
      const other = pools === "one" ? pool : world.pool("other", 1);
      const outcome = { y: "nothing" };
      world.task("y", async () => {
        await world.point();
        const took = pool.take();
        outcome.y = took ? "took" : "refused";
        if (took) pool.give();
      });
      if (tasks.includes("x")) {
        world.task("x", async () => {
          const took = other.take();
          await world.point();
          if (took) other.give();
        });
      }
      return outcome;
    },
    observe: (outcome) => outcome,
  };
}

test("a part that changes what another can see is told from one that does not", async () => {
  assert.deepEqual(await independent(taking("two", ["y"]), taking("two", ["y", "x"])), {
    verdict: "independent",
    onlyWithout: [],
    onlyWith: [],
    failure: null,
  });
  const dependent = await independent(taking("one", ["y"]), taking("one", ["y", "x"]));
  assert.deepEqual([dependent.verdict, dependent.onlyWith], ["dependent", ['{"y":"refused"}']]);
  const method = { random: { runs: 5, seed: 1 } } as const;
  const sampled = await independent(taking("two", ["y"]), taking("two", ["y", "x"]), { method });
  assert.equal(sampled.verdict, "unknown");
  await assert.rejects(independent({ name: "mute", setup: () => {} }, taking("one", ["y"])), TypeError);
});
