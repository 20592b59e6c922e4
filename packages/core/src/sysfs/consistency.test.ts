/** The tree while everything changes: whoever looks, whenever, finds no link that leads nowhere. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { miscClass } from "../class.js";
import { Device } from "../device.js";
import type { Driver } from "../driver.js";
import { isKernelError } from "../error.js";
import { toyBus } from "../model.test.fixture.js";
import { DeviceNode } from "../node.js";
import { type Controlled, interleave, interleavings } from "../sync/controlled.test.fixture.js";
import { System } from "../system.js";

const races = ["ENODEV", "ENOENT", "EBUSY", "EAGAIN", "EINVAL"] as const;

async function raced(call: Promise<unknown>): Promise<void> {
  try {
    await call;
  } catch (error) {
    if (!races.some((code) => isKernelError(error, code))) throw error;
  }
}

const writes = [
  ["bus/toy/drivers/d/unbind", "d0"],
  ["bus/toy/drivers/d/bind", "d0"],
  ["bus/toy/drivers/d/bind", "d1"],
  ["bus/toy/drivers_probe", "d1"],
  ["devices/d0/uevent", "change"],
  ["bus/toy/devices/d1/value", "1"],
  ["bus/toy/drivers/d/d0/limit", "1"],
] as const;

interface Made {
  readonly system: System;
  /** Whether anything goes on. */
  busy(): boolean;
  end(): void;
}

function world({ runtime, task: start }: Controlled, program: readonly number[]): Made {
  let running = 0;
  const task = (name: string, run: () => Promise<void>) => {
    running += 1;
    start(name, async () => {
      await run();
      running -= 1;
    });
  };
  const system = new System(runtime);
  const pause = () => runtime.scheduler.yield("in a callback", { name: "callback" });
  system.registerBus(toyBus);
  system.registerClass(miscClass);
  const driver: Driver<Device> = {
    name: "d",
    bus: toyBus,
    probe: pause,
    remove: pause,
    deviceGroups: [{ attributes: [{ name: "limit", show: () => "1\n", store: pause }] }],
  };
  const devices = ["d0", "d1"].map(
    (name) =>
      new Device(runtime, {
        name,
        bus: toyBus,
        attributes: [{ name: "value", show: () => "1\n", store: pause }],
      }),
  ) as [Device, Device];
  const [supplier, consumer] = devices;
  const child = (): Device => {
    const node: DeviceNode = new DeviceNode(runtime, { name: "n", open: () => ({ request: () => null }) });
    return new Device(runtime, { name: "n", parent: supplier, class: miscClass, node });
  };
  task("devices", async () => {
    for (const device of devices) await system.addDevice(device);
    system.addLink(consumer, supplier);
    const node = child();
    await system.addDevice(node);
    await pause();
    await system.unregisterDevice(node);
    for (const device of devices) await system.unregisterDevice(device);
  });
  task("driver", async () => {
    await system.registerDriver(driver);
    await pause();
    await system.unregisterDriver(driver);
  });
  task("writer", async () => {
    for (const index of program) {
      const [path, text] = writes[index % writes.length] as (typeof writes)[number];
      await raced(system.sysfs.write(`/sys/${path}`, text));
    }
  });
  return {
    system,
    busy: () => running > 0,
    end() {
      assert.deepEqual([supplier.references, consumer.references], [0, 0]);
      assert.deepEqual(
        [...system.sysfs.walk("/sys")].map(({ path }) => path).filter((path) => path.split("/").length > 4),
        ["/sys/bus/toy/uevent", "/sys/bus/toy/drivers_probe", "/sys/bus/toy/drivers_autoprobe"].concat([
          "/sys/bus/toy/devices",
          "/sys/bus/toy/drivers",
        ]),
      );
    },
  };
}

test("no link dangles, no name repeats and what is listed is there, at every moment of every race", async () => {
  const program = fc.array(fc.nat(writes.length - 1), { maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(interleavings, program, async (choices, program) => {
      let end = () => {};
      await interleave(choices, (controlled) => {
        const { system, ...made } = world(controlled, program);
        end = made.end;
        const look = () => {
          const seen = new Set<string>();
          for (const { path, kind } of system.sysfs.walk("/sys")) {
            assert.ok(!seen.has(path), `${path} twice`);
            seen.add(path);
            if (kind === "link")
              assert.equal(system.sysfs.stat(system.sysfs.realpath(path)).kind, "directory");
            if (kind !== "directory") continue;
            for (const name of system.sysfs.list(path))
              assert.ok(system.sysfs.has(`${path}/${name}`), `${path}/${name}`);
          }
        };
        controlled.task("looker", async () => {
          for (let looks = 0; made.busy() && looks < 100; looks += 1) {
            look();
            await controlled.runtime.scheduler.yield("look", { name: "looker" });
          }
        });
        controlled.task("reader", async () => {
          for (const { path, kind, mode } of [...system.sysfs.walk("/sys/devices")]) {
            if (kind === "file" && (mode & 0o444) !== 0) await raced(system.sysfs.read(path));
          }
        });
      });
      end();
    }),
    { numRuns: 100 },
  );
});
