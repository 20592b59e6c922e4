import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { miscClass } from "./class.js";
import { Device } from "./device.js";
import { isKernelError } from "./error.js";
import type { FileOperations } from "./file-operations.js";
import type { Mapping } from "./mapping.js";
import { traced, turn } from "./model.test.fixture.js";
import { DeviceNode } from "./node.js";
import { noDeadline, type Runtime } from "./runtime.js";
import { Completion } from "./sync/completion.js";
import { interleave, interleavings, times } from "./sync/controlled.test.fixture.js";
import { System } from "./system.js";

function deviceWith(runtime: Runtime, operations: Partial<FileOperations>, release?: () => void) {
  const node: DeviceNode = new DeviceNode(runtime, {
    name: "n0",
    open: () => ({ request: () => null, ...operations }),
  });
  const device = new Device(runtime, {
    name: "n0",
    class: miscClass,
    node,
    ...(release === undefined ? {} : { release }),
  });
  return { node, device };
}

async function mappable(parts: Partial<FileOperations> = {}) {
  const made = traced();
  const { system, trace } = made;
  system.registerClass(miscClass);
  const memory = new Uint8Array(8192);
  const operations: Partial<FileOperations> = {
    map: ({ offset, length }) => ({
      bytes: memory.subarray(offset, offset + length),
      unmap: () => void trace.push("unmap"),
    }),
    release: () => void trace.push("release"),
    ...parts,
  };
  const { node, device } = deviceWith(system.runtime, operations, () => trace.push("memory gone"));
  await system.addDevice(device);
  trace.length = 0;
  return { ...made, node, device, memory, file: await node.open() };
}

test("a mapping is the device's memory: both see what either writes", async () => {
  const { file, memory } = await mappable();
  const mapping = await file.map({ offset: 4096, length: 16 });
  mapping.write(2, Uint8Array.of(7, 8));
  assert.deepEqual([...memory.subarray(4096, 4101)], [0, 0, 7, 8, 0]);
  memory[4097] = 5;
  const copy = mapping.read(0, 3);
  assert.deepEqual([...copy], [0, 5, 7]);
  copy[0] = 9;
  assert.equal(memory[4096], 0);
  for (const [offset, length] of [
    [0, 17],
    [16, 1],
    [-1, 1],
    [0.5, 1],
  ] as const) {
    assert.throws(() => mapping.read(offset, length), { code: "EFAULT" });
  }
  const readonly = await file.map({ offset: 0, length: 1, access: "read" });
  assert.throws(() => readonly.write(0, Uint8Array.of(1)), { code: "EACCES" });
  const short = await file.map({ offset: 8192 - 4096, length: 5000 });
  assert.throws(() => short.read(4090, 10), { code: "EFAULT" });
});

test("ranges that make no sense and files without memory are refused", async () => {
  const { file, node } = await mappable();
  for (const range of [
    { offset: 1, length: 1 },
    { offset: -4096, length: 1 },
    { offset: 0, length: 0 },
    { offset: 0, length: 1.5 },
    { offset: Number.NaN, length: 1 },
    { offset: 2 ** 53, length: 1 },
  ]) {
    await assert.rejects(file.map(range), { code: "EINVAL" });
  }
  await file.close();
  await assert.rejects(file.map({ offset: 0, length: 1 }), { code: "EBADF" });
  const { file: plain } = await (async () => {
    const { system } = traced();
    system.registerClass(miscClass);
    const { node, device } = deviceWith(system.runtime, {});
    await system.addDevice(device);
    return { file: await node.open() };
  })();
  await assert.rejects(plain.map({ offset: 0, length: 1 }), { code: "ENODEV" });
  assert.equal(node.openFiles, 0);
});

test("a mapping outlives the file's close, and the driver's release comes after its unmap", async () => {
  const { file, trace, node } = await mappable();
  const mapping = await file.map({ offset: 0, length: 4 });
  await file.close();
  assert.deepEqual([...mapping.read(0, 1)], [0]);
  assert.deepEqual([trace.length, node.openFiles], [0, 1]);
  await mapping.unmap();
  await turn();
  assert.deepEqual(trace, ["unmap", "release"]);
  assert.equal(node.openFiles, 0);
  assert.throws(() => mapping.read(0, 1), { code: "EFAULT" });
  await assert.rejects(mapping.unmap(), { code: "EINVAL" });
  assert.deepEqual(trace, ["unmap", "release"]);
});

test("after the removal a mapping faults at once, and letting go of it still works", async () => {
  const { file, trace, system, device, memory } = await mappable();
  const mapping = await file.map({ offset: 0, length: 4 });
  await file.close();
  await system.unregisterDevice(device);
  assert.equal(mapping.state, "zapped");
  assert.throws(() => mapping.read(0, 1), { code: "ENODEV" });
  assert.throws(() => mapping.write(0, Uint8Array.of(1)), { code: "ENODEV" });
  assert.equal(memory[0], 0);
  assert.deepEqual(trace, ["remove n0"]);
  await mapping.unmap();
  await turn();
  assert.deepEqual(trace, ["remove n0", "unmap", "release", "memory gone"]);
});

test("an unmap that fails is logged and done", async () => {
  const { file, trace, log } = await mappable({
    map: () => ({
      bytes: new Uint8Array(1),
      unmap: () => {
        throw new Error("stuck");
      },
    }),
  });
  const mapping = await file.map({ offset: 0, length: 1 });
  await mapping.unmap();
  await file.close();
  assert.deepEqual(trace, ["release"]);
  assert.deepEqual(
    log.map(({ event }) => event),
    ["unmap.failed"],
  );
});

test("what a driver maps too late, after the deadline or the removal, is unmapped again", async () => {
  for (const what of ["deadline", "removal"] as const) {
    const go = { completion: null as Completion | null };
    const { file, trace, system, device } = await mappable({
      map: async () => {
        await go.completion?.wait();
        trace.push("map");
        return { bytes: new Uint8Array(1), unmap: () => void trace.push("unmap") };
      },
    });
    go.completion = new Completion(system.runtime, "go");
    const options = what === "deadline" ? { deadline: system.runtime.clock.now() } : {};
    const mapping = file.map({ offset: 0, length: 1 }, options);
    const refused = assert.rejects(mapping, { code: what === "deadline" ? "ETIMEDOUT" : "ENODEV" });
    await turn();
    if (what === "removal") await system.removeDevice(device);
    await refused;
    trace.length = 0;
    go.completion.complete();
    await turn();
    assert.deepEqual(trace, ["map", "unmap"]);
    await file.close();
    assert.deepEqual(trace, ["map", "unmap", "release"]);
  }
});

test("however mapping, using, closing and removing race: one unmap for each map, before the release, before the end", async () => {
  await fc.assert(
    fc.asyncProperty(interleavings, times, async (choices, time) => {
      const counts = { mapped: 0, unmapped: 0, released: 0, opened: 0, gone: 0 };
      let removed = false;
      const { log } = await interleave(
        choices,
        ({ runtime, task }) => {
          const system = new System(runtime);
          system.registerClass(miscClass);
          const pause = () => runtime.scheduler.yield("in a callback", node);
          const node: DeviceNode = new DeviceNode(runtime, {
            name: "n0",
            open: async () => {
              await pause();
              counts.opened += 1;
              let mappings = 0;
              return {
                request: () => null,
                map: async () => {
                  await pause();
                  counts.mapped += 1;
                  mappings += 1;
                  return {
                    bytes: new Uint8Array(1),
                    unmap: async () => {
                      await pause();
                      counts.unmapped += 1;
                      mappings -= 1;
                    },
                  };
                },
                release: () => {
                  assert.equal(mappings, 0, "released while mapped");
                  counts.released += 1;
                },
              };
            },
          });
          const device = new Device(runtime, {
            name: "n0",
            class: miscClass,
            node,
            release: () => {
              assert.equal(counts.released, counts.opened);
              counts.gone += 1;
            },
          });
          const answered = async (call: Promise<unknown>) => {
            try {
              await call;
            } catch (error) {
              const late = time === "any time" && isKernelError(error, "ETIMEDOUT");
              if (!late && !isKernelError(error, "ENODEV")) throw error;
            }
          };
          const use = (mapping: Mapping) => {
            const before = removed;
            try {
              mapping.write(0, Uint8Array.of(1));
              assert.equal(before, false, "a removed device was reached");
            } catch (error) {
              if (!isKernelError(error, "ENODEV")) throw error;
            }
          };
          task("main", async () => {
            await system.addDevice(device);
            let left = 3;
            const done = () => {
              left -= 1;
              if (left === 0) device.put();
            };
            for (const name of ["a", "b"]) {
              task(name, async () => {
                await answered(
                  (async () => {
                    const file = await node.open();
                    task(`map of ${name}`, async () => {
                      await answered(
                        (async () => {
                          const mapping = await file.map({ offset: 0, length: 1 }).catch((error: unknown) => {
                            if (isKernelError(error, "EBADF")) return null;
                            throw error;
                          });
                          if (mapping === null) return;
                          use(mapping);
                          await pause();
                          use(mapping);
                          await mapping.unmap();
                        })(),
                      );
                    });
                    await pause();
                    await file.close();
                  })(),
                );
                done();
              });
            }
            task("remover", async () => {
              await pause();
              await answered(system.removeDevice(device));
              // A first one that gave up before it began must not be the last.
              if (device.registered) await system.removeDevice(device, { deadline: noDeadline });
              removed = !device.registered && node.state === "dead";
              done();
            });
          });
        },
        time,
      );
      assert.equal(counts.unmapped, counts.mapped);
      assert.equal(counts.released, counts.opened);
      assert.equal(counts.gone, 1);
      assert.deepEqual(
        log.filter(({ level }) => level === "error"),
        [],
      );
    }),
    { numRuns: 300 },
  );
});
