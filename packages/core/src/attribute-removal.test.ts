/** Removing attributes while they are used, under many interleavings: what the kernel's rules about it come to. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import type { Attribute, AttributeContext } from "./attribute.js";
import { AttributeSet } from "./attribute-set.js";
import { Device } from "./device.js";
import type { Driver } from "./driver.js";
import type { ErrnoCode } from "./errno.js";
import { isKernelError } from "./error.js";
import { toyBus } from "./model.test.fixture.js";
import { type Controlled, interleave, interleavings } from "./sync/controlled.test.fixture.js";
import { Mutex } from "./sync/mutex.js";
import { System } from "./system.js";

const options = { numRuns: 300 };

/** What became of a call: "ok", or the code of an answer that is allowed. */
async function outcome(call: Promise<unknown>, ...allowed: ErrnoCode[]): Promise<string> {
  try {
    await call;
    return "ok";
  } catch (error) {
    for (const code of allowed) if (isKernelError(error, code)) return code;
    throw error;
  }
}

function pause({ runtime }: Controlled): Promise<void> {
  return runtime.scheduler.yield("in a callback", { name: "callback" });
}

test("of all who remove a device through its own attribute or around it, exactly one does", async () => {
  const property = fc.asyncProperty(
    interleavings,
    fc.nat(3),
    fc.boolean(),
    async (choices, writers, around) => {
      const removals: string[] = [];
      const answers: string[] = [];
      let released = 0;
      let inside = 0;
      const controlled = await interleave(choices, (controlled) => {
        const system = new System(controlled.runtime);
        system.registerBus(toyBus);
        const remove = async (who: string) => {
          const answer = await outcome(system.removeDevice(device), "ENODEV");
          if (answer === "ok") {
            assert.equal(inside, 0, "removed while somebody was reading");
            removals.push(who);
          }
        };
        const device: Device = new Device(controlled.runtime, {
          name: "mdev",
          bus: toyBus,
          release: () => {
            released += 1;
          },
          attributes: [
            {
              name: "remove",
              store: async (_device, _text, context) => {
                await pause(controlled);
                if (await context.removeSelf()) await remove("self");
              },
            },
            {
              name: "value",
              show: async () => {
                inside += 1;
                await pause(controlled);
                inside -= 1;
                return "1";
              },
            },
          ],
        });
        let left = 0;
        const start = (name: string, run: () => Promise<void>) => {
          left += 1;
          controlled.task(name, async () => {
            await run();
            left -= 1;
            if (left === 0) device.put();
          });
        };
        controlled.task("add", async () => {
          await system.addDevice(device);
          for (let i = 0; i <= writers; i += 1) {
            start(`write ${i}`, async () => {
              answers.push(await outcome(device.writeAttribute("remove", "1"), "ENODEV"));
            });
          }
          if (around) start("remove", () => remove("around"));
          start("read", async () => {
            await outcome(device.readAttribute("value"), "ENODEV");
          });
        });
      });
      assert.equal(removals.length, 1, `removed by ${removals.join()}`);
      assert.equal(released, 1);
      assert.ok(around || answers.includes("ok"), "who removed it was told so");
      assert.deepEqual(controlled.log, []);
    },
  );
  await fc.assert(property, options);
});

/** A store that wants a lock, while somebody who holds that lock removes the attribute. */
async function storeAgainstRemover(
  choices: readonly number[],
  take: (context: AttributeContext, mutex: Mutex) => ReturnType<Mutex["lock"]>,
  time: "when idle" | "any time" = "when idle",
): Promise<{ stores: string[]; remover: string; locked: boolean }> {
  const stores: string[] = [];
  let remover = "";
  let mutex!: Mutex;
  await interleave(
    choices,
    (controlled) => {
      mutex = new Mutex(controlled.runtime, "the remover's lock");
      let critical = 0;
      const attribute: Attribute = {
        name: "value",
        store: async (_subject, _text, context) => {
          const guard = await take(context, mutex);
          critical += 1;
          assert.equal(critical, 1, "the lock excludes others");
          await pause(controlled);
          critical -= 1;
          guard.release();
        },
      };
      const set = new AttributeSet(controlled.runtime, "it", null, { attributes: [attribute] });
      set.publish();
      for (const name of ["w0", "w1"]) {
        controlled.task(name, async () => {
          stores.push(await outcome(set.write("value", "1"), "ENODEV", "ETIMEDOUT"));
        });
      }
      controlled.task("remover", async () => {
        const guard = await mutex.lock().catch(() => null);
        if (guard === null) return;
        remover = await outcome(set.removeAttribute("value"), "ETIMEDOUT");
        guard.release();
      });
    },
    time,
  );
  return { stores, remover, locked: mutex.locked };
}

test("a store that waits for the remover's lock until it is removed never keeps the remover waiting", async () => {
  const property = fc.asyncProperty(interleavings, async (choices) => {
    const { stores, remover, locked } = await storeAgainstRemover(choices, (context, mutex) =>
      context.lockUnlessRemoved(mutex),
    );
    assert.equal(stores.length, 2);
    assert.ok(!stores.includes("ETIMEDOUT"));
    assert.equal(remover, "ok");
    assert.equal(locked, false);
  });
  await fc.assert(property, options);
});

test("with the plain lock it would, which is what the test above is about", async () => {
  let deadlocks = 0;
  for (const choices of fc.sample(interleavings, { numRuns: 100, seed: 1 })) {
    const { stores } = await storeAgainstRemover(choices, (_context, mutex) => mutex.lock());
    if (stores.includes("ETIMEDOUT")) deadlocks += 1;
  }
  assert.ok(deadlocks > 0);
});

test("whatever deadline is missed on the way to the lock, nobody is left with it", async () => {
  const property = fc.asyncProperty(interleavings, async (choices) => {
    const { locked } = await storeAgainstRemover(
      choices,
      (context, mutex) => context.lockUnlessRemoved(mutex),
      "any time",
    );
    assert.equal(locked, false);
  });
  await fc.assert(property, options);
});

test("a store that waits for its removal sees it begin, and may then take any lock", async () => {
  const property = fc.asyncProperty(interleavings, async (choices) => {
    const trace: string[] = [];
    await interleave(choices, (controlled) => {
      const mutex = new Mutex(controlled.runtime, "the remover's lock");
      const set = new AttributeSet(controlled.runtime, "it", null);
      set.add({
        name: "value",
        store: async (_subject, _text, context) => {
          assert.equal(context.removing, false);
          controlled.task("remover", async () => {
            const guard = await mutex.lock();
            await set.remove();
            trace.push("removed");
            guard.release();
          });
          await context.untilRemoving();
          assert.equal(context.removing, true);
          await assert.rejects(context.lockUnlessRemoved(mutex), { code: "ENODEV" });
          assert.equal(await context.removeSelf(), false, "somebody else removes it");
          // From here on the remover does not wait for this store any more.
          const guard = await context.lockUnlessRemoved(mutex);
          trace.push("locked");
          guard.release();
        },
      });
      set.publish();
      controlled.task("writer", async () => {
        assert.equal(await set.write("value", "1"), 1);
      });
    });
    assert.deepEqual(trace, ["removed", "locked"]);
  });
  await fc.assert(property, options);
});

test("no show runs on a group after its removal has returned, however often it comes and goes", async () => {
  const property = fc.asyncProperty(
    interleavings,
    fc.integer({ min: 1, max: 3 }),
    async (choices, rounds) => {
      let there = false;
      let shown = 0;
      const controlled = await interleave(choices, (controlled) => {
        const set = new AttributeSet(controlled.runtime, "it", null);
        const group = {
          name: "g",
          attributes: ["a", "b"].map((name) => ({
            name,
            show: async () => {
              assert.equal(there, true);
              await pause(controlled);
              assert.equal(there, true, "the group went while it was being shown");
              shown += 1;
              return "1";
            },
          })),
        };
        set.publish();
        controlled.task("owner", async () => {
          for (let i = 0; i < rounds; i += 1) {
            there = true;
            set.addGroup(group);
            await pause(controlled);
            await set.removeGroup(group);
            there = false;
            await pause(controlled);
          }
          await set.remove();
        });
        for (const path of ["g/a", "g/b", "g/a"]) {
          controlled.task(`read ${path}`, async () => {
            await outcome(set.read(path), "ENOENT", "ENODEV");
          });
        }
      });
      assert.deepEqual(controlled.scheduler.failures, []);
      assert.ok(shown <= 3);
    },
  );
  await fc.assert(property, options);
});

test("a store that wants its device's lock never keeps the driver's unbinding waiting, nor the driver's end", async () => {
  const property = fc.asyncProperty(interleavings, fc.boolean(), async (choices, whole) => {
    const answers: string[] = [];
    let bound = 0;
    const controlled = await interleave(choices, (controlled) => {
      const system = new System(controlled.runtime);
      system.registerBus(toyBus);
      const driver: Driver<Device> = {
        name: "d",
        bus: toyBus,
        probe: () => {
          bound += 1;
        },
        remove: () => {
          bound -= 1;
        },
        deviceGroups: [
          {
            attributes: [
              {
                name: "limit",
                store: async (device, _text, context) => {
                  const guard = await context.lockUnlessRemoved(device.mutex);
                  assert.equal(bound, 1, "stored without the driver");
                  await pause(controlled);
                  assert.equal(bound, 1, "the driver went while its attribute was stored");
                  guard.release();
                },
              },
            ],
          },
        ],
      };
      const device: Device = new Device(controlled.runtime, { name: "d0", bus: toyBus });
      controlled.task("main", async () => {
        await system.addDevice(device);
        await system.registerDriver(driver);
        for (const name of ["w0", "w1"]) {
          controlled.task(name, async () => {
            const write = system.sysfs.write("/sys/bus/toy/devices/d0/limit", "1");
            answers.push(await outcome(write, "ENODEV", "ENOENT"));
          });
        }
        controlled.task("unbinder", async () => {
          if (whole) await system.unregisterDriver(driver);
          else await system.detach(device, driver);
        });
      });
    });
    assert.equal(answers.length, 2);
    assert.equal(bound, 0);
    assert.deepEqual(controlled.log, []);
  });
  await fc.assert(property, options);
});
