import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import type { CharRegion } from "./char-region.js";
import { Device } from "./device.js";
import { isKernelError } from "./error.js";
import { DeviceNode } from "./node.js";
import { interleave, interleavings } from "./sync/controlled.test.fixture.js";
import { System } from "./system.js";

const gpuClass = { name: "gpu" };

function withClass(): System {
  const system = new System();
  system.registerClass(gpuClass);
  return system;
}

async function add(system: System, name: string, region?: CharRegion, minor?: number) {
  const node = new DeviceNode(system.runtime, {
    name,
    open: () => ({ request: () => name }),
    ...(region === undefined ? {} : { region }),
    ...(minor === undefined ? {} : { minor }),
  });
  const device = new Device(system.runtime, { name, class: gpuClass, node });
  await system.addDevice(device);
  return { node, device };
}

test("majors are handed out downwards from 254 to 234, then from 511 to 384, and come back", () => {
  const { nodes } = new System();
  const regions: CharRegion[] = [];
  for (;;) {
    try {
      regions.push(nodes.registerRegion({ name: `r${regions.length}`, count: 1 }));
    } catch (error) {
      assert.ok(isKernelError(error, "EBUSY"));
      break;
    }
  }
  const majors = regions.map(({ major }) => major);
  assert.equal(majors.length, 21 + 128);
  assert.deepEqual([majors[0], majors[20], majors[21], majors.at(-1)], [254, 234, 511, 384]);
  nodes.unregisterRegion(regions[3] as CharRegion);
  assert.equal(nodes.registerRegion({ name: "again", count: 1 }).major, 251);
});

test("regions of one major must not overlap, and numbers that do not exist can't be had", () => {
  const { nodes } = new System();
  const take = (major: number, firstMinor: number, count: number) =>
    nodes.registerRegion({ name: "r", major, firstMinor, count });
  take(200, 10, 10);
  take(200, 20, 5);
  take(200, 0, 10);
  for (const [first, count] of [
    [9, 1],
    [0, 100],
    [24, 2],
    [15, 1],
  ] as const) {
    assert.throws(() => take(200, first, count), { code: "EBUSY" });
  }
  assert.throws(() => take(10, 5, 1), { code: "EBUSY" }, "misc has all of major 10");
  for (const [major, first, count] of [
    [0, 0, 1],
    [512, 0, 1],
    [1.5, 0, 1],
    [100, 0, 0],
    [100, -1, 1],
    [100, 2 ** 20 - 1, 2],
    [100, 0, Number.NaN],
  ] as const) {
    assert.throws(() => take(major, first, count), { code: "EINVAL" });
  }
  assert.equal(take(100, 2 ** 20 - 1, 1).count, 1);
});

test("a region's nodes have its numbers, are opened by them, and stand in /sys/dev/char", async () => {
  const system = withClass();
  const { nodes, sysfs } = system;
  const region = nodes.registerRegion({ name: "gpu", count: 3, firstMinor: 128 });
  const fixed = await add(system, "g129", region, 129);
  const first = await add(system, "a", region);
  const second = await add(system, "b", region);
  const numbers = [fixed, first, second].map(({ node }) => `${node.major}:${node.minor}`);
  assert.deepEqual(numbers, ["254:129", "254:128", "254:130"]);
  assert.deepEqual(sysfs.list("/sys/dev/char").toSorted(), numbers.toSorted());
  assert.equal(sysfs.realpath("/sys/dev/char/254:130"), "/sys/devices/virtual/gpu/b");
  assert.equal(await sysfs.read("/sys/class/gpu/b/dev"), "254:130\n");
  assert.match(await sysfs.read("/sys/class/gpu/b/uevent"), /^MAJOR=254\nMINOR=130\nDEVNAME=b\n$/);
  const file = await nodes.open(254, 130, { pid: 7 });
  assert.deepEqual([await file.request(null), file.opener.pid], ["b", 7]);
  await file.close();
  await assert.rejects(add(system, "full", region), { code: "EBUSY" });
  await assert.rejects(add(system, "outside", region, 131), { code: "EINVAL" });
  assert.throws(() => nodes.unregisterRegion(region), { code: "EBUSY" });
  for (const { device } of [fixed, first, second]) await system.removeDevice(device);
  nodes.unregisterRegion(region);
  await assert.rejects(add(system, "late", region), { code: "EINVAL" });
  assert.throws(() => nodes.unregisterRegion(region), { code: "EINVAL" });
  assert.deepEqual(sysfs.list("/sys/dev/char"), []);
});

test("a number that nobody has is ENODEV for misc and ENXIO for others", async () => {
  const system = withClass();
  system.nodes.registerRegion({ name: "gpu", count: 3 });
  await assert.rejects(system.nodes.open(10, 300), { code: "ENODEV" });
  await assert.rejects(system.nodes.open(254, 0), { code: "ENXIO" });
  await assert.rejects(system.nodes.open(33, 0), { code: "ENXIO" });
});

test("an open by number during the removal gets a file or ENXIO or ENODEV, and no number is lost", async () => {
  await fc.assert(
    fc.asyncProperty(interleavings, async (choices) => {
      let released = 0;
      let opened = 0;
      const release = () => {
        released += 1;
      };
      await interleave(choices, ({ runtime, task }) => {
        const system = new System(runtime);
        system.registerClass(gpuClass);
        const region = system.nodes.registerRegion({ name: "gpu", count: 1 });
        const make = (name: string) => {
          const node: DeviceNode = new DeviceNode(runtime, {
            name,
            region,
            open: async () => {
              await runtime.scheduler.yield("open", node);
              opened += 1;
              return { request: () => name, release };
            },
          });
          return new Device(runtime, { name, class: gpuClass, node });
        };
        const tryOpen = async () => {
          try {
            const file = await system.nodes.open(254, 0);
            try {
              await file.request(null);
            } finally {
              await file.close();
            }
          } catch (error) {
            if (!isKernelError(error, "ENODEV") && !isKernelError(error, "ENXIO")) throw error;
          }
        };
        task("owner", async () => {
          for (const name of ["a", "b"]) {
            const device = make(name);
            await system.addDevice(device);
            assert.equal(device.node?.minor, 0);
            await system.unregisterDevice(device);
          }
          system.nodes.unregisterRegion(region);
        });
        for (let i = 0; i < 3; i += 1) task(`open ${i}`, tryOpen);
      });
      assert.equal(released, opened);
    }),
    { numRuns: 300 },
  );
});
