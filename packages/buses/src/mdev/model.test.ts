/** Anything done to mdevs in any order, some of it at once: what is taken and what is there agree with what was answered. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { isKernelError } from "parhelion-core";
import type { MdevDevice } from "./index.js";
import { uuids, withParent } from "./mdev.test.fixture.js";

const max = 2;

type Action =
  | { readonly do: "create" | "remove" | "hold" | "let go" | "by hand"; readonly which: number }
  | { readonly do: "use"; readonly which: number; readonly use: "projected" | "local" | null }
  | { readonly do: "driver"; readonly use: "projected" | "local" }
  | { readonly do: "settle" };

const which = fc.nat({ max: uuids.length - 1 });
const use = fc.constantFrom("projected", "local");
const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant("create" as const), which }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom("remove" as const, "by hand" as const), which }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom("hold" as const, "let go" as const), which }) },
  fc.record({
    do: fc.constant("use" as const),
    which,
    use: fc.oneof(use, fc.constant(null)),
  }) as fc.Arbitrary<Action>,
  fc.record({ do: fc.constant("driver" as const), use }) as fc.Arbitrary<Action>,
  { weight: 3, arbitrary: fc.constant({ do: "settle" as const }) },
);

test("counter and live devices make up all instances, and every answer is one of those promised", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(action, { maxLength: 40 }), async (actions) => {
      const made: string[] = [];
      const rig = await withParent(null, {
        available: { policy: "counter", instances: max },
        create: ({ uuid }) => {
          assert.ok(!made.includes(uuid), "one uuid is made twice");
          made.push(uuid);
          assert.ok(made.length <= max, "more is made than there is");
          return uuid;
        },
        release: (uuid) => void made.splice(made.indexOf(uuid), 1),
      });
      const { mdev, parent, system } = rig;
      const drivers = { projected: rig.projected, local: rig.local };
      const held: MdevDevice[] = [];
      const running: Promise<void>[] = [];
      const start = (work: Promise<unknown>, ...answers: readonly string[]): void => {
        const checked = async (): Promise<void> => {
          try {
            await work;
          } catch (error) {
            assert.ok(isKernelError(error) && answers.includes(error.code), String(error));
          }
        };
        running.push(checked());
      };
      const settle = async (): Promise<void> => {
        await Promise.all(running.splice(0));
        const registered = parent.mdevs().map(({ uuid }) => uuid);
        const alive = new Set([...registered, ...held.map(({ uuid }) => uuid)]);
        assert.deepEqual(new Set(made), alive);
        assert.equal(parent.availableInstances({ name: "full", deviceApi: "" }), max - alive.size);
        assert.deepEqual(system.sysfs.list("/sys/bus/mdev/devices"), registered);
        for (const { life, uuid } of parent.mdevs()) {
          assert.equal(life.state, "active");
          assert.ok(system.sysfs.has(`/sys/devices/gpu0/${uuid}/remove`));
        }
      };
      const act = async (each: Action): Promise<void> => {
        if (each.do === "settle") return settle();
        if (each.do === "driver") {
          const driver = drivers[each.use];
          if (system.findDriver(driver.bus, driver.name) === undefined)
            start(system.registerDriver(driver), "EBUSY");
          else start(system.unregisterDriver(driver), "ENODEV");
          return undefined;
        }
        const uuid = uuids[each.which] as string;
        const device = mdev.find(uuid);
        if (each.do === "create") start(parent.create("full", uuid), "EEXIST", "EUSERS", "ENODEV", "EBUSY");
        else if (each.do === "remove") start(mdev.remove(uuid), "ENODEV", "EAGAIN");
        else if (each.do === "use") start(mdev.setUse(uuid, each.use), "ENODEV", "EAGAIN", "EBUSY");
        else if (each.do === "let go") held.splice(0, 1)[0]?.put();
        else if (device !== undefined) {
          device.get();
          if (each.do === "hold") held.push(device);
          else
            start(
              system.removeDevice(device).finally(() => device.put()),
              "ENODEV",
            );
        }
        return undefined;
      };
      for (const each of actions) await act(each);
      await settle();
      await parent.unregister();
      assert.equal(mdev.parents().length, 0);
      for (const device of held) device.put();
      assert.deepEqual(made, []);
      assert.equal(rig.trace.at(-1), "free");
    }),
    { numRuns: 150, seed: 1 },
  );
});
