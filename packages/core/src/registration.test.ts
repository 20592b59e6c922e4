import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { miscClass } from "./class.js";
import { Device } from "./device.js";
import { isKernelError, KernelError } from "./error.js";
import { DeviceNode } from "./node.js";
import { Registration } from "./registration.js";
import { noDeadline } from "./runtime.js";
import { interleave, interleavings, times } from "./sync/controlled.test.fixture.js";
import { System } from "./system.js";

test("nobody is in when unregister has returned, and nobody gets in after it was called", async () => {
  await fc.assert(
    fc.asyncProperty(interleavings, times, fc.integer({ min: 1, max: 4 }), async (choices, time, users) => {
      let inside = 0;
      let called = false;
      const outcomes: string[] = [];
      await interleave(
        choices,
        ({ runtime, task }) => {
          const registration = new Registration(runtime, "it");
          for (let i = 0; i < users; i += 1) {
            task(`user ${i}`, async () => {
              for (let round = 0; round < 2; round += 1) {
                await runtime.scheduler.yield("outside", registration);
                if (!registration.tryGet()) {
                  assert.ok(called);
                  return;
                }
                assert.ok(!called);
                inside += 1;
                await runtime.scheduler.yield("inside", registration);
                inside -= 1;
                registration.put();
              }
            });
          }
          for (const name of ["a", "b"]) {
            task(`unregister ${name}`, async () => {
              await runtime.scheduler.yield("start", registration);
              called = true;
              try {
                await registration.unregister();
                assert.equal(inside, 0);
                outcomes.push("gone");
              } catch (error) {
                assert.ok(time === "any time" && isKernelError(error, "ETIMEDOUT"), String(error));
                outcomes.push("late");
              }
            });
          }
        },
        time,
      );
      assert.equal(outcomes.length, 2);
    }),
    { numRuns: 300 },
  );
});

test("users are asked to leave at once and then every ten seconds, as often as it takes", async () => {
  const asked: string[] = [];
  const { log } = await interleave([0], ({ runtime, task }) => {
    const registration = new Registration(runtime, "it");
    assert.equal(registration.tryGet(), true);
    assert.equal(registration.tryGet(), true);
    task("unregister", async () => {
      await registration.unregister({
        deadline: noDeadline,
        request(count) {
          asked.push(`${count} at ${runtime.clock.now()}`);
          if (count === 0) registration.put();
          if (count === 1) throw new Error("not now");
          if (count === 3) registration.put();
        },
      });
      asked.push("gone");
      await registration.unregister({ request: () => assert.fail("there is nobody to ask") });
    });
  });
  assert.deepEqual(asked, ["0 at 0", "1 at 10000", "2 at 20000", "3 at 30000", "gone"]);
  assert.deepEqual(
    log.map(({ event }) => event),
    ["registration.request-failed"],
  );
});

test("a deadline ends the waiting, says how many are left, and it can be taken up again", async () => {
  const trace: string[] = [];
  await interleave([0], ({ runtime, task }) => {
    const registration = new Registration(runtime, "it");
    registration.tryGet();
    task("unregister", async () => {
      const request = (count: number) => void trace.push(`asked ${count}`);
      await assert.rejects(registration.unregister({ deadline: 15_000, request }), {
        code: "ETIMEDOUT",
        message: /1 still use it/,
      });
      trace.push(`gave up at ${runtime.clock.now()}`);
      assert.equal(registration.tryGet(), false);
      registration.put();
      await registration.unregister();
      assert.throws(() => registration.put(), { code: "refcount-underflow" });
    });
  });
  assert.deepEqual(trace, ["asked 0", "asked 1", "gave up at 15000"]);
});

test("whoever asks users to leave and never ends keeps nobody beyond the deadline, and is not asked again", async () => {
  const trace: string[] = [];
  const { log } = await interleave([0], ({ runtime, task }) => {
    const never = new Promise<void>(() => {});
    const request = (count: number): Promise<void> => {
      trace.push(`asked ${count}`);
      return never;
    };
    const left = new Registration(runtime, "left");
    const stays = new Registration(runtime, "stays");
    left.tryGet();
    stays.tryGet();
    task("left", async () => {
      await left.unregister({ deadline: 25_000, request });
      trace.push("left");
    });
    task("stays", async () => {
      await assert.rejects(stays.unregister({ deadline: 35_000, request }), { code: "ETIMEDOUT" });
      trace.push("stays");
    });
    task("user", async () => {
      await runtime.scheduler.yield("leave", left);
      left.put();
    });
  });
  assert.deepEqual(trace, ["asked 0", "asked 0", "left", "stays"]);
  assert.deepEqual(
    log.map(({ event }) => event),
    ["registration.request-late"],
  );
});

test("a driver that waits for its users at removal: none is served after it, and memory goes with the last file", async () => {
  await fc.assert(
    fc.asyncProperty(interleavings, async (choices) => {
      const trace: string[] = [];
      await interleave(choices, ({ runtime, task }) => {
        const system = new System(runtime);
        system.registerClass(miscClass);
        const registration = new Registration(runtime, "users of n0");
        let hardware: "on" | "off" = "on";
        const node: DeviceNode = new DeviceNode(runtime, {
          name: "n0",
          open: async () => {
            // Complete before the node was shown: an open of a live node is never refused by accident.
            if (!registration.tryGet()) throw new KernelError("ENODEV", "it is leaving");
            await runtime.scheduler.yield("open", node);
            assert.equal(hardware, "on");
            return {
              request: async () => {
                assert.equal(hardware, "on");
                await runtime.scheduler.yield("request", node);
                assert.equal(hardware, "on");
                return null;
              },
              release: () => {
                assert.equal(hardware, "on");
                registration.put();
              },
            };
          },
        });
        const parent = new Device(runtime, { name: "p", release: () => trace.push("parent's memory") });
        const device = new Device(runtime, {
          name: "n0",
          parent,
          class: miscClass,
          node,
          release: () => trace.push("memory"),
        });
        const ready = (async () => {
          await system.addDevice(parent);
          await system.addDevice(device);
        })();
        for (let i = 0; i < 2; i += 1) {
          task(`user ${i}`, async () => {
            await ready;
            try {
              const file = await node.open();
              try {
                await file.request(null);
              } finally {
                await file.close();
              }
            } catch (error) {
              if (!isKernelError(error, "ENODEV")) throw error;
            }
          });
        }
        task("remover", async () => {
          await ready;
          await system.removeDevice(device);
          await registration.unregister();
          hardware = "off";
          trace.push("off");
          device.put();
          await system.unregisterDevice(parent);
        });
      });
      assert.deepEqual(trace.toSorted(), ["memory", "off", "parent's memory"]);
      assert.ok(
        trace.indexOf("memory") < trace.indexOf("parent's memory"),
        "a parent outlives its children's memory",
      );
    }),
    { numRuns: 200 },
  );
});
