import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type AdapterDescription, type DeviceGrant, NtStatus, vgpuCommand } from "parhelion-protocol";
import type { HostLimits } from "../limits.js";
import { deviceRequest, VgpuBench } from "./bench.test.fixture.js";
import { CommandError } from "./command-error.js";

/** Ends a test that hangs; no test comes near it. */
const limit = { timeout: 300_000 };

async function onBench(
  run: (bench: VgpuBench) => Promise<void>,
  limits: Partial<HostLimits> = {},
): Promise<void> {
  const bench = new VgpuBench(limits);
  try {
    await run(bench);
    assert.deepEqual(bench.faults, []);
  } finally {
    await bench.stop();
  }
  assert.equal(bench.slice.devices.size, 0);
  assert.equal(bench.slice.allocatedBytes, 0);
}

function refused(status: number, words = ""): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof CommandError, String(error));
    assert.equal(error.status.toString(16), status.toString(16), error.message);
    assert.ok(error.message.includes(words), error.message);
    return true;
  };
}

function detailOf({ privateData }: CommandError): Readonly<Record<string, unknown>> {
  return JSON.parse(new TextDecoder().decode(privateData)) as Readonly<Record<string, unknown>>;
}

async function newDevice(bench: VgpuBench, process: number): Promise<number> {
  return (await bench.call(vgpuCommand.createDevice, process, { privateData: deviceRequest() })).device;
}

async function newContext(bench: VgpuBench, process: number, device: number): Promise<number> {
  return (await bench.call(vgpuCommand.createContextVirtual, process, { device })).context;
}

test("the engine is told whose each device is, and a process that is gone has no heir", limit, () =>
  onBench(async (bench) => {
    const ownerOf = async (process: number): Promise<number> => {
      const request = { privateData: deviceRequest("whose") };
      const { privateData } = await bench.call(vgpuCommand.createDevice, process, request);
      return (JSON.parse(new TextDecoder().decode(privateData)) as DeviceGrant).limits["owner"] as number;
    };
    const [one, two] = [bench.processes.create(10, "one"), bench.processes.create(11, "two")];
    const owners = [await ownerOf(one), await ownerOf(one), await ownerOf(two)];
    assert.equal(owners[0], owners[1]);
    bench.processes.destroy(two);
    owners.push(await ownerOf(bench.processes.create(11, "two")));
    assert.equal(new Set(owners).size, 3);
  }),
);

test("a refusal says whose limit it is, what is in use, what was asked for and what to do", limit, () =>
  onBench(
    async (bench) => {
      const process = bench.processes.create(10, "app");
      const device = await newDevice(bench, process);
      const context = await newContext(bench, process, device);
      const allocations = [{ size: 2000n, flags: 0, privateData: new Uint8Array(0) }];
      await assert.rejects(
        bench.call(vgpuCommand.createAllocation, process, { device, allocations }),
        refused(
          NtStatus.QUOTA_EXCEEDED,
          "allocatedBytesPerSlice is 1000; slice 00000000-0000-4000-8000-000000000001 has 0, and 2000 more would be too many: ask for less, or raise it with `parhelion host --limit allocatedBytesPerSlice=NUMBER`",
        ),
      );
      await bench.call(vgpuCommand.createHwQueue, process, { context });
      await assert.rejects(
        bench.call(vgpuCommand.createHwQueue, process, { context }),
        refused(NtStatus.QUOTA_EXCEEDED, "remoteQueuesPerGuest is 1; guest g-1 has 1"),
      );
      assert.equal(bench.exceeded.length, 2);
    },
    { allocatedBytesPerSlice: 1000, remoteQueuesPerGuest: 1 },
  ),
);

test("waits that are given up use up nothing at the engine", limit, () =>
  onBench(async (bench) => {
    const process = bench.processes.create(10, "app");
    const context = await newContext(bench, process, await newDevice(bench, process));
    const { progressFence } = await bench.call(vgpuCommand.createHwQueue, process, { context });
    const wait = { objects: [progressFence], fenceValues: [5000n], timeoutMs: 1 };
    for (let i = 0; i < 30; i++)
      await assert.rejects(
        bench.call(vgpuCommand.waitForSyncFromCpu, process, wait),
        refused(NtStatus.TIMEOUT),
      );
    const reached = { objects: [progressFence], fenceValues: [5n] };
    await bench.call(vgpuCommand.waitForSyncFromCpu, process, reached);
  }),
);

test("a device, its context, its queue and its fences live and die together", limit, () =>
  onBench(async (bench) => {
    const process = bench.processes.create(10, "app");
    const device = await newDevice(bench, process);
    const context = await newContext(bench, process, device);
    const queue = await bench.call(vgpuCommand.createHwQueue, process, { context });
    assert.deepEqual([queue.endpoint, queue.reach, queue.token.length], ["q0", 1, 32]);
    const wait = { objects: [queue.progressFence], fenceValues: [3n] };
    await bench.call(vgpuCommand.waitForSyncFromCpu, process, wait);
    const engine = bench.slice.engine.current;
    assert.equal((await engine?.statistics())?.devices, 1);
    await bench.call(vgpuCommand.destroyDevice, process, { device });
    assert.equal((await engine?.statistics())?.devices, 0);
    const gone = refused(NtStatus.INVALID_HANDLE);
    await assert.rejects(bench.call(vgpuCommand.destroyDevice, process, { device }), gone);
    await assert.rejects(bench.call(vgpuCommand.destroyContext, process, { context }), gone);
    await assert.rejects(bench.call(vgpuCommand.destroyHwQueue, process, { queue: queue.queue }), gone);
    await assert.rejects(bench.call(vgpuCommand.waitForSyncFromCpu, process, wait), gone);
  }),
);

test("a queue's doorbell says what its progress fence will show, and only its owner rings it", limit, () =>
  onBench(
    async (bench) => {
      const process = bench.processes.create(10, "app");
      const device = await newDevice(bench, process);
      const context = await newContext(bench, process, device);
      const { queue, progressFence } = await bench.call(vgpuCommand.createHwQueue, process, { context });
      const ring = (owner: number, handle: number) =>
        bench.call(vgpuCommand.submitCommandToHwQueue, owner, { queue: handle });
      const { fenceValue } = await ring(process, queue);
      assert.ok(fenceValue > 100n);
      const wait = { objects: [progressFence], fenceValues: [fenceValue] };
      await bench.call(vgpuCommand.waitForSyncFromCpu, process, wait);
      // A fence like others to wait for, but the engine's to set and the queue's to destroy.
      const own = refused(NtStatus.INVALID_PARAMETER, "progress fence");
      await assert.rejects(bench.call(vgpuCommand.signalSyncObject, process, wait), own);
      const syncObject = progressFence;
      await assert.rejects(bench.call(vgpuCommand.destroySyncObject, process, { syncObject }), own);
      const unknown = refused(NtStatus.INVALID_HANDLE);
      await assert.rejects(ring(process, progressFence), unknown);
      await assert.rejects(ring(bench.processes.create(11, "other"), queue), unknown);
      const never = bench.call(vgpuCommand.waitForSyncFromCpu, process, { ...wait, fenceValues: [5000n] });
      const full = assert.rejects(ring(process, queue), refused(NtStatus.QUOTA_EXCEEDED));
      const removed = assert.rejects(never, refused(NtStatus.DEVICE_REMOVED));
      await full;
      bench.slice.engine.current?.kill("by the test");
      await removed;
      await assert.rejects(ring(process, queue), refused(NtStatus.DEVICE_REMOVED, "by the test"));
      const state = await bench.call(vgpuCommand.getDeviceState, process, { device, stateType: 1 });
      assert.equal(state.executionState, 2);
      await bench.call(vgpuCommand.destroyHwQueue, process, { queue });
      await assert.rejects(ring(process, queue), unknown);
    },
    { waitsPerProcess: 1 },
  ),
);

test("the adapter answers before any engine runs", limit, () =>
  onBench(async (bench) => {
    assert.equal((await bench.call(vgpuCommand.openAdapter, 0)).adapter, 77);
    const info = await bench.call(vgpuCommand.getInternalAdapterInfo, 0);
    assert.deepEqual([info.description, info.wgslLanguageFeatures.length], ["scripted", 1]);
    const { privateData } = await bench.call(vgpuCommand.queryAdapterInfo, 0, { infoType: 0x1000 });
    const description = JSON.parse(new TextDecoder().decode(privateData)) as AdapterDescription;
    assert.deepEqual(description, bench.slice.description);
    const render = await bench.call(vgpuCommand.queryAdapterInfo, 0, { infoType: 57 });
    // Render, software, paravirtualized.
    assert.deepEqual([...render.privateData], [0x85, 0, 0, 0]);
    await assert.rejects(
      bench.call(vgpuCommand.queryAdapterInfo, 0, { infoType: 70 }),
      refused(NtStatus.NOT_SUPPORTED),
    );
    assert.equal(bench.slice.engine.status.starts, 0);
  }),
);

test("what the engine refuses reaches the application as the engine said it", limit, () =>
  onBench(async (bench) => {
    const process = bench.processes.create(10, "app");
    const asked = bench.call(vgpuCommand.createDevice, process, { privateData: deviceRequest("no") });
    await assert.rejects(asked, (error) => {
      assert.ok(error instanceof CommandError);
      assert.deepEqual(detailOf(error), { name: "TypeError", message: "not this one" });
      return true;
    });
    assert.equal(bench.slice.devices.size, 0);
  }),
);

test(
  "when the engine dies every device is lost with the reason, and the next device gets a fresh engine",
  limit,
  () =>
    onBench(async (bench) => {
      const process = bench.processes.create(10, "app");
      const device = await newDevice(bench, process);
      const { syncObject } = await bench.call(vgpuCommand.createSyncObject, process, { device, kind: 5 });
      const wait = bench.call(vgpuCommand.waitForSyncFromCpu, process, {
        objects: [syncObject],
        fenceValues: [1n],
      });
      const settled = assert.rejects(wait, refused(NtStatus.DEVICE_REMOVED, "code 7"));
      const dying = bench.call(vgpuCommand.createDevice, process, { privateData: deviceRequest("die") });
      await assert.rejects(dying, refused(NtStatus.DEVICE_REMOVED, "last words"));
      await settled;
      assert.deepEqual(
        bench.lost.map(({ device: { handle }, loss }) => [handle, loss.reason]),
        [[device, "unknown"]],
      );
      assert.match(bench.lost[0]?.loss.message ?? "", /code 7.*last words/);
      const state = await bench.call(vgpuCommand.getDeviceState, process, { device, stateType: 1 });
      assert.deepEqual([state.executionState, state.reason], [2, "unknown"]);
      await assert.rejects(newContext(bench, process, device), refused(NtStatus.DEVICE_REMOVED));
      const next = await newDevice(bench, process);
      assert.notEqual(next, device);
      assert.equal(bench.slice.engine.status.starts, 2);
      await bench.call(vgpuCommand.destroyDevice, process, { device });
    }),
);

test("one process neither sees nor reaches what another one has", limit, () =>
  onBench(async (bench) => {
    const [a, b] = [bench.processes.create(1, "a"), bench.processes.create(2, "b")];
    const device = await newDevice(bench, a);
    await assert.rejects(newContext(bench, b, device), refused(NtStatus.INVALID_HANDLE));
    bench.processes.destroy(a);
    assert.equal(bench.slice.devices.size, 0);
    await assert.rejects(newDevice(bench, a), refused(NtStatus.INVALID_HANDLE));
    await newDevice(bench, b);
  }),
);

test("a process that goes while its device is being created leaves nothing", limit, () =>
  onBench(async (bench) => {
    const process = bench.processes.create(1, "a");
    const asked = newDevice(bench, process);
    const settled = assert.rejects(asked, refused(NtStatus.DEVICE_REMOVED));
    while (bench.slice.devices.size === 0) await new Promise((resolve) => setImmediate(resolve));
    bench.processes.destroy(process);
    await settled;
  }),
);

test(
  "monitored fences are set and awaited by processors; all, any, timeouts and mistakes are told apart",
  limit,
  () =>
    onBench(async (bench) => {
      const process = bench.processes.create(1, "a");
      const device = await newDevice(bench, process);
      const fence = async (initialValue: bigint) =>
        (await bench.call(vgpuCommand.createSyncObject, process, { device, kind: 5, initialValue }))
          .syncObject;
      const [a, b] = [await fence(0n), await fence(5n)];
      const objects = [a, b];
      const wait = (fenceValues: bigint[], flags = 0, timeoutMs = 0) =>
        bench.call(vgpuCommand.waitForSyncFromCpu, process, { objects, fenceValues, flags, timeoutMs });
      await wait([1n, 5n], 1);
      const both = wait([2n, 6n]);
      await bench
        .call(vgpuCommand.signalSyncObject, process, { objects, fenceValues: [2n, 2n ** 63n] })
        .then(() => both);
      await assert.rejects(wait([3n, 0n], 0, 5), refused(NtStatus.TIMEOUT));
      const back = bench.call(vgpuCommand.signalSyncObject, process, { objects, fenceValues: [9n, 0n] });
      await assert.rejects(back, refused(NtStatus.INVALID_PARAMETER));
      await assert.rejects(wait([9n, 0n], 0, 5), refused(NtStatus.TIMEOUT));
      await assert.rejects(wait([1n]), refused(NtStatus.INVALID_PARAMETER));
      const never = wait([100n, 0n]);
      const settled = assert.rejects(never, refused(NtStatus.INVALID_HANDLE));
      await bench.call(vgpuCommand.destroySyncObject, process, { syncObject: a });
      await settled;
      await assert.rejects(
        bench.call(vgpuCommand.createSyncObject, process, { device, kind: 2 }),
        refused(NtStatus.NOT_SUPPORTED),
      );
    }),
);

test("accounted memory is charged, refused beyond the limit with rule and numbers, and returned", limit, () =>
  onBench(
    async (bench) => {
      const process = bench.processes.create(1, "a");
      const device = await newDevice(bench, process);
      const allocate = (...sizes: bigint[]) =>
        bench.call(vgpuCommand.createAllocation, process, {
          device,
          allocations: sizes.map((size) => ({ size, flags: 0, privateData: new Uint8Array(0) })),
        });
      const { allocations } = await allocate(600n, 400n);
      await assert.rejects(allocate(1n), (error) => {
        assert.ok(error instanceof CommandError);
        assert.equal(error.status, NtStatus.QUOTA_EXCEEDED);
        const { code, slice, rule, limit, used, remedy } = detailOf(error);
        assert.deepEqual(
          [code, slice, rule, limit, used],
          ["limit-reached", "00000000-0000-4000-8000-000000000001", "allocatedBytesPerSlice", 1000, 1000],
        );
        assert.ok(remedy);
        return true;
      });
      await bench.call(vgpuCommand.destroyAllocation, process, { device, allocations });
      assert.equal(bench.slice.allocatedBytes, 0);
      await allocate(1000n);
      await assert.rejects(allocate(), refused(NtStatus.INVALID_PARAMETER));
      await assert.rejects(allocate(0n), refused(NtStatus.INVALID_PARAMETER));
      await assert.rejects(allocate(2n ** 64n - 1n), refused(NtStatus.INVALID_PARAMETER));
    },
    { allocatedBytesPerSlice: 1000 },
  ),
);

test("every count has its limit", limit, () =>
  onBench(
    async (bench) => {
      const full = refused(NtStatus.QUOTA_EXCEEDED);
      const process = bench.processes.create(1, "a");
      assert.throws(() => bench.processes.create(2, "b"), /processesPerGuest is 1/);
      const device = await newDevice(bench, process);
      await assert.rejects(newDevice(bench, process), full);
      const context = await newContext(bench, process, device);
      await assert.rejects(newContext(bench, process, device), full);
      await bench.call(vgpuCommand.createHwQueue, process, { context });
      await assert.rejects(bench.call(vgpuCommand.createHwQueue, process, { context }), full);
      const kind = { device, kind: 5 };
      const { syncObject } = await bench.call(vgpuCommand.createSyncObject, process, kind);
      await assert.rejects(bench.call(vgpuCommand.createSyncObject, process, kind), full);
      const wait = { objects: [syncObject], fenceValues: [1n] };
      const first = bench.call(vgpuCommand.waitForSyncFromCpu, process, wait);
      await assert.rejects(bench.call(vgpuCommand.waitForSyncFromCpu, process, wait), full);
      await bench.call(vgpuCommand.signalSyncObject, process, wait);
      await first;
    },
    {
      processesPerGuest: 1,
      devicesPerSlice: 1,
      contextsPerDevice: 1,
      queuesPerDevice: 1,
      fencesPerDevice: 1,
      waitsPerProcess: 1,
    },
  ),
);

test("no command and no bytes make the host fault", limit, () =>
  onBench(
    async (bench) => {
      const process = bench.processes.create(1, "a");
      const device = await newDevice(bench, process);
      const types = [...Object.values(vgpuCommand).map(({ type }) => type), 3, 20, 4711];
      await fc.assert(
        fc.asyncProperty(
          fc.constantFrom(...types),
          fc.constantFrom(0, process, 0xffffffff),
          fc.array(fc.oneof(fc.constantFrom(0, 1, 5, device), fc.integer({ min: 0, max: 0xffffffff })), {
            maxLength: 12,
          }),
          fc.uint8Array({ maxLength: 3 }),
          async (type, owner, words, tail) => {
            const body = new Uint8Array(words.length * 4 + tail.length);
            for (const [i, word] of words.entries()) new DataView(body.buffer).setUint32(4 * i, word, true);
            body.set(tail, words.length * 4);
            await bench
              .raw(type, owner, body)
              .catch((error: unknown) => assert.ok(error instanceof CommandError));
          },
        ),
        { numRuns: 400 },
      );
      await assert.rejects(bench.raw(4711, process, new Uint8Array(0)), refused(NtStatus.NOT_SUPPORTED));
    },
    { fenceWaitMs: 1 },
  ),
);
