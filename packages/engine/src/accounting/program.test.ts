import assert from "node:assert/strict";
import { after, test } from "node:test";
import fc from "fast-check";
import { defaultEngineQuota, type EngineQuota } from "parhelion-protocol";
import { create } from "webgpu";
import { ChildEngine } from "../child.test.support.js";
import { exposedCollector } from "../collector.js";
import { createInProcessEngine, type OpenedQueue } from "../in-process.js";
import { plainDevice, Script } from "../script.test.support.js";
import { operation, RandomProgram, type Slice } from "./program.test.support.js";
import { DEVICE_BYTES, STAGING_RING_BYTES } from "./sizes.js";

const gpu = create(["backend=null"]);
after(() => assert.ok(gpu));

const GRANTED = 24 * 2 ** 20;
const quotaOf = (memoryBytes: number): EngineQuota => ({
  ...defaultEngineQuota,
  memoryBytes,
  objects: 60,
  bytesInFlight: 512 * 1024,
});
const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

/** Collects until no more than the devices themselves is in use, for a bounded time. */
async function assertOnlyDevices(program: RandomProgram, slice: Slice): Promise<void> {
  const least = program.living * DEVICE_BYTES;
  /** Each has its staging ring, or none when it never wrote. */
  const holds = (used: number) => {
    const rings = (used - least) / STAGING_RING_BYTES;
    return Number.isInteger(rings) && rings >= 0 && rings <= program.living;
  };
  let used = await slice.used();
  for (let round = 0; round < 100 && !holds(used); round++) {
    slice.collect();
    await nextTurn();
    await program.clean();
    used = await slice.used();
  }
  assert.ok(holds(used), `${used} bytes are in use by ${program.living} empty devices`);
}

test("whatever programs do, a slice uses no more than it is granted, and nothing in the end", {
  timeout: 300_000,
}, async () => {
  const collect = exposedCollector();
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { maxLength: 60, size: "max" }), async (operations) => {
      const service = { slice: "s", generation: 1, quota: quotaOf(GRANTED), time: "free" } as const;
      const own = createInProcessEngine({ gpu, service });
      const queues: OpenedQueue[] = [];
      const slice: Slice = {
        open: async () => {
          const queue = await own.open(plainDevice);
          queues.push(queue);
          return new Script(queue.port);
        },
        lose: (n) => own.engine.destroyDevice(queues[n]!.serial, "lost in a test"),
        grant: (memoryBytes) => own.engine.setQuota(quotaOf(memoryBytes)),
        used: async () => own.engine.memory.used,
        collect,
      };
      const program = new RandomProgram(slice, GRANTED);
      try {
        await program.run(operations);
        await program.clean();
        await assertOnlyDevices(program, slice);
      } finally {
        await program.closeAll();
        await own.close();
      }
      assert.equal(own.engine.memory.used, 0);
    }),
    { numRuns: 60, includeErrorInReport: true },
  );
});

test("the same holds on a GPU that computes, in a process of its own", { timeout: 300_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { maxLength: 40, size: "max" }), async (operations) => {
      const engine = await ChildEngine.start("software");
      let opened = 0;
      const numbers: number[] = [];
      const slice: Slice = {
        open: async () => {
          const number = ++opened;
          const script = await engine.open(number);
          numbers.push(number);
          return script;
        },
        lose: (n) => engine.send({ op: "destroyDevice", device: numbers[n]! }),
        grant: (memoryBytes) => engine.send({ op: "quota", quota: quotaOf(memoryBytes) }),
        used: async () => (await engine.statistics()).residentBytes,
        collect: () => undefined,
      };
      try {
        slice.grant(GRANTED);
        const program = new RandomProgram(slice, GRANTED);
        await program.run(operations);
        await program.clean();
        await program.closeAll();
        // The engine hears of the closed connections when it next listens to them.
        for (let asked = 0; asked < 10_000 && (await slice.used()) > 0; asked++) await nextTurn();
        assert.equal(await slice.used(), 0);
      } finally {
        await engine.end();
      }
    }),
    { numRuns: 5, includeErrorInReport: true, endOnFailure: true },
  );
});
