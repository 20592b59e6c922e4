/** A served device by the library is what it is in the process that serves it. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isKernelError } from "parhelion-core";
import { Feature, FeatureFlag } from "../../device/calls.js";
import { bytesMemory } from "../../iommu/user-memory.js";
import { AttachedDevice } from "../../iommufd/attached-device.js";
import { EventCounter } from "../../irq/eventfd.js";
import { IrqSetFlag } from "../../irq/irq.js";
import { RegionFlag } from "../../region/region.js";
import { struct } from "../client.test.fixture.js";
import { Action, type Stage, stage } from "../machine.test.fixture.js";
import { withDescriptors } from "../questions.test.fixture.js";
import { VfioUserDevice } from "./device.js";

const { DATA_EVENTFD, DATA_NONE, DATA_BOOL, ACTION_TRIGGER, ACTION_MASK, ACTION_UNMASK } = IrqSetFlag;

async function codeOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return "done";
  } catch (error) {
    assert.ok(isKernelError(error), String(error));
    return error.code;
  }
}

async function withDevice(
  body: (device: VfioUserDevice, staged: Stage) => Promise<void>,
  { server = withDescriptors, client = withDescriptors }: { server?: object; client?: object } = {},
): Promise<void> {
  const staged = await stage(server);
  const device = await VfioUserDevice.connect(staged.rig.runtime, staged.server.socketPath, client);
  try {
    await body(device, staged);
  } finally {
    await device.close();
    await staged.end();
  }
}

/** What the words of region 1 make the machine do. */
async function act(device: VfioUserDevice, action: number, iova = 0n, length = 0, index = 0, vector = 0) {
  const { offset } = await device.call("GET_REGION_INFO", { argsz: 64, index: 1 });
  const words = struct(["u32", length], ["u64", iova], ["u32", index], ["u32", vector]);
  await device.call("WRITE", { offset: offset + 4n, bytes: words });
  return codeOf(device.call("WRITE", { offset, bytes: struct(["u32", action]) }));
}

const eventfds = (index: number, start: number, data: readonly (EventCounter | null)[]) => ({
  argsz: 20 + 4 * data.length,
  flags: DATA_EVENTFD | ACTION_TRIGGER,
  index,
  start,
  count: data.length,
  data,
});

test("what is asked of it is answered as in the process that serves it, but for what can't be mapped from outside", async () => {
  const answers: unknown[][] = [];
  const ask = async (device: Pick<VfioUserDevice, "call">) => {
    const regions = [];
    for (let index = 0; index < 5; index += 1) {
      for (const argsz of [8, 32, 256]) {
        const answer = device.call("GET_REGION_INFO", { argsz, index });
        const code = await codeOf(answer);
        if (code !== "done") regions.push(code);
        else {
          const { offset, flags, capabilities, capOffset, argsz: enough, ...same } = await answer;
          assert.equal(typeof offset, "bigint");
          regions.push({ ...same, flags: flags & ~(RegionFlag.MMAP | RegionFlag.CAPS) });
          // The type's chain is there too, without that of the parts that can be mapped.
          if (index === 0 && argsz === 256) regions.push(capOffset, capabilities.includes(5), enough > 32);
        }
      }
    }
    const irqs = [];
    for (let index = 0; index < 4; index += 1) {
      for (const argsz of [15, 16]) {
        const answer = device.call("GET_IRQ_INFO", { argsz, index });
        const code = await codeOf(answer);
        irqs.push(code === "done" ? await answer : code);
      }
    }
    const { flags, numRegions, numIrqs } = await device.call("GET_INFO", { argsz: 24 });
    irqs.push(await codeOf(device.call("GET_INFO", { argsz: 15 })));
    answers.push([regions, irqs, flags, numRegions, numIrqs]);
  };
  const staged = await stage(withDescriptors);
  const there = await AttachedDevice.open(staged.rig.system, "vfio0");
  await ask(there);
  await there.close();
  const device = await VfioUserDevice.connect(staged.rig.runtime, staged.server.socketPath, withDescriptors);
  await ask(device);
  assert.deepEqual(answers[1], answers[0]);
  assert.equal(await codeOf(device.call("IOCTL", { name: "QUIESCE", argument: 0 })), "ENOTTY");
  await device.close();
  await staged.end();
});

test("regions are read and written at the offsets that it tells, several at once, and errors are the device's own", () =>
  withDevice(async (device, { machine }) => {
    const { offset, size } = await device.call("GET_REGION_INFO", { argsz: 64, index: 0 });
    const { offset: registers } = await device.call("GET_REGION_INFO", { argsz: 64, index: 1 });
    assert.equal(size, 65_536n);
    const bytes = Uint8Array.from({ length: 65_536 }, (_, i) => i * 7);
    assert.equal(await device.call("WRITE", { offset, bytes }), 65_536);
    assert.deepEqual(machine.memory, bytes);
    const pieces = await Promise.all(
      Array.from({ length: 64 }, (_, i) =>
        device.call("READ", { offset: offset + BigInt(i * 1024), length: 1024 }),
      ),
    );
    assert.ok(Buffer.concat(pieces).equals(bytes));
    assert.equal((await device.call("READ", { offset, length: 0 })).length, 0);
    assert.equal(await codeOf(device.call("READ", { offset: offset + 65_535n, length: 2 })), "EINVAL");
    assert.equal(
      await codeOf(device.call("WRITE", { offset: registers, bytes: struct(["u32", Action.FAIL]) })),
      "EIO",
    );
    const write = (at: number, text: string) => ({ offset: offset + BigInt(at), bytes: Buffer.from(text) });
    assert.equal(await device.writeAll([write(0, "a"), write(1, "bcdefghi"), write(9, "jk")]), 3);
    assert.equal(Buffer.from(machine.memory.subarray(0, 11)).toString(), "abcdefghijk");
    assert.equal(await device.writeAll([write(0, "A"), write(65_536, "no"), write(2, "C")]), 1);
    assert.equal(await device.writeAll([write(0, "longer than eight"), write(17, "!")]), 2);
    assert.equal(await codeOf(device.writeAll([write(65_536, "no")])), "EINVAL");
    assert.equal(Buffer.from(machine.memory.subarray(0, 18)).toString(), "longer than eight!");
    await device.call("RESET", {});
    assert.equal(machine.memory[0], 0);
  }));

for (const [how, parts] of [
  ["in a file that both have open", {}],
  ["by messages, where the client has no koffi", { client: {} }],
  ["by messages, where the server has none", { server: {} }],
] as const) {
  test(`memory is shared ${how}`, () =>
    withDevice(async (device, { machine }) => {
      const shared = await device.share(0x10000n, 8192);
      assert.equal(device.descriptors, how.startsWith("in a file") ? "passed" : "none");
      shared.write(4090, Buffer.from("from the client"));
      assert.equal(await act(device, Action.DMA_READ, 0x10000n + 4090n, 15), "done");
      assert.equal(Buffer.from(machine.memory.subarray(0, 15)).toString(), "from the client");
      machine.memory.set(Buffer.from("from the device"));
      assert.equal(await act(device, Action.DMA_WRITE, 0x10000n, 15), "done");
      const bytes = Buffer.alloc(15);
      shared.read(0, bytes);
      assert.equal(bytes.toString(), "from the device");
      assert.throws(() => shared.read(8190, Buffer.alloc(3)), RangeError);
      assert.throws(() => shared.write(-1, Buffer.alloc(1)), RangeError);
      assert.equal(await codeOf(device.share(0x11000n, 4096)), "EEXIST");
      assert.equal(await codeOf(device.share(0x20001n, 4096)), "EINVAL");
      assert.equal(await device.unmap(0x10000n, 8192n), 8192n);
      assert.notEqual(await act(device, Action.DMA_READ, 0x10000n, 15), "done");
      await device.share(0x10000n, 4096);
    }, parts));
}

test("memory that is lent is asked for, within what was lent and for what it was lent", () =>
  withDevice(async (device, { machine }) => {
    const bytes = Buffer.alloc(8192);
    const calls: string[] = [];
    const inner = bytesMemory(bytes, 0x1000n);
    const memory = {
      read: async (vaddr: bigint, length: number) => {
        calls.push(`read ${vaddr} ${length}`);
        return inner.read(vaddr, length);
      },
      write: async (vaddr: bigint, data: Uint8Array) => {
        calls.push(`write ${vaddr} ${data.length}`);
        await inner.write(vaddr, data);
      },
    };
    await device.map(0x4000n, 4096n, memory, "read", 0x1000n);
    await device.map(0x8000n, 4096n, memory, "write", 0x2000n);
    bytes.write("asked for", 5);
    assert.equal(await act(device, Action.DMA_READ, 0x4005n, 9), "done");
    assert.equal(await act(device, Action.DMA_WRITE, 0x8000n, 9), "done");
    assert.equal(bytes.subarray(4096, 4105).toString(), "asked for");
    assert.deepEqual(calls, ["read 4101 9", "write 8192 9"]);
    assert.notEqual(await act(device, Action.DMA_WRITE, 0x4000n, 9), "done");
    assert.notEqual(await act(device, Action.DMA_READ, 0x4ffcn, 9), "done");
    assert.equal(machine.memory[0], "a".charCodeAt(0));
  }));

describe("interrupts", () => {
  test("reach their eventfds, as often as they come, until these are taken back", () =>
    withDevice(async (device, { rig: { runtime }, machine }) => {
      const counters = Array.from({ length: 8 }, (_, i) => new EventCounter(runtime, `vector ${i}`));
      await device.call("SET_IRQS", eventfds(2, 0, counters));
      machine.device?.irqs.trigger(2, 3, 2);
      machine.device?.irqs.trigger(2, 7);
      let three = 0;
      while (three < 2) three += await (counters[3] as EventCounter).wait();
      assert.equal(await (counters[7] as EventCounter).wait(), 1);
      const other = new EventCounter(runtime, "other");
      await device.call("SET_IRQS", eventfds(2, 2, [null, other, null]));
      assert.deepEqual(
        counters.map(({ state }) => state === "released"),
        [0, 0, 1, 1, 1, 0, 0, 0].map(Boolean),
      );
      assert.equal(machine.device?.irqs.trigger(2, 2), false);
      machine.device?.irqs.trigger(2, 3);
      assert.equal(await other.wait(), 1);
      await device.call("SET_IRQS", {
        argsz: 20,
        flags: DATA_NONE | ACTION_TRIGGER,
        index: 2,
        start: 0,
        count: 0,
      });
      assert.deepEqual(
        [...counters, other].map(({ state }) => state).filter((state) => state === "held"),
        [],
      );
      assert.equal(machine.device?.irqs.assigned(2, 0), false);
    }));

  test("can be fired, masked and unmasked by hand", () =>
    withDevice(async (device, { rig: { runtime } }) => {
      const counter = new EventCounter(runtime, "line");
      await device.call("SET_IRQS", eventfds(0, 0, [counter]));
      const set = { argsz: 21, index: 0, start: 0, count: 1 };
      await device.call("SET_IRQS", { ...set, flags: DATA_NONE | ACTION_TRIGGER });
      assert.equal(await counter.wait(), 1);
      await device.call("SET_IRQS", { ...set, flags: DATA_BOOL | ACTION_MASK, data: Uint8Array.of(1) });
      assert.equal(
        await codeOf(device.call("SET_IRQS", { ...set, flags: DATA_NONE | ACTION_TRIGGER, index: 9 })),
        "EINVAL",
      );
    }));

  test("are masked and unmasked by eventfds that the server listens to", () =>
    withDevice(async (device, { rig: { runtime }, machine }) => {
      const by = (name: string) => new EventCounter(runtime, name);
      const [line, mask, unmask] = [by("line"), by("mask"), by("unmask")];
      const set = eventfds(0, 0, [line]);
      await device.call("SET_IRQS", set);
      await device.call("SET_IRQS", { ...set, flags: DATA_EVENTFD | ACTION_MASK, data: [mask] });
      await device.call("SET_IRQS", { ...set, flags: DATA_EVENTFD | ACTION_UNMASK, data: [unmask] });
      // Each comes once, and not before it is unmasked again: the line masks itself.
      for (let round = 0; round < 3; round += 1) {
        machine.device?.irqs.trigger(0);
        assert.equal(await line.wait(), 1);
        assert.equal(machine.device?.irqs.masked(0), true);
        machine.device?.irqs.trigger(0);
        unmask.signal(1);
        assert.equal(await line.wait(), 1);
        unmask.signal(1);
        while (machine.device?.irqs.masked(0)) await new Promise((resolve) => setImmediate(resolve));
      }
      mask.signal(1);
      while (!machine.device?.irqs.masked(0)) await new Promise((resolve) => setImmediate(resolve));
      await device.call("SET_IRQS", { ...set, flags: DATA_EVENTFD | ACTION_UNMASK, data: [null] });
      assert.deepEqual([line.state, mask.state, unmask.state], ["held", "held", "released"]);
      await device.call("SET_IRQS", {
        argsz: 20,
        flags: DATA_NONE | ACTION_TRIGGER,
        index: 0,
        start: 0,
        count: 0,
      });
      assert.deepEqual([line.state, mask.state], ["released", "released"]);
      const deaf = { signal: () => undefined };
      assert.equal(
        await codeOf(device.call("SET_IRQS", { ...set, flags: DATA_EVENTFD | ACTION_MASK, data: [deaf] })),
        "EINVAL",
      );
    }));

  test("that are refused leave their eventfds to their owner", () =>
    withDevice(async (device, { rig: { runtime }, machine }) => {
      const counters = Array.from({ length: 3 }, (_, i) => new EventCounter(runtime, `vector ${i}`));
      // The second message of the call asks for more than there are.
      await device.call("SET_IRQS", eventfds(2, 7, [counters[2] as EventCounter]));
      assert.equal(
        await codeOf(
          device.call(
            "SET_IRQS",
            eventfds(2, 5, [counters[0] as EventCounter, null, null, counters[1] as EventCounter]),
          ),
        ),
        "EINVAL",
      );
      assert.deepEqual(
        counters.map(({ state }) => state),
        ["held", "held", "released"],
      );
      assert.equal(machine.device?.irqs.assigned(2, 5), false);
      assert.equal(await codeOf(device.call("SET_IRQS", { ...eventfds(2, 0, []), count: 1 })), "EINVAL");
    }));

  for (const [who, parts] of [
    ["client", { client: {} }],
    ["server", { server: {} }],
  ] as const)
    test(`can't be had where the ${who} has no koffi, and that is said`, () =>
      withDevice(async (device, { rig: { runtime } }) => {
        const counter = new EventCounter(runtime, "line");
        assert.equal(await codeOf(device.call("SET_IRQS", eventfds(0, 0, [counter]))), "EOPNOTSUPP");
        assert.equal(counter.state, "held");
      }, parts));
});

test("its state goes over by messages, and comes in again", () =>
  withDevice(async (device, { machine }) => {
    const state = (number: number) =>
      device.call("FEATURE", {
        argsz: 16,
        flags: Feature.MIG_DEVICE_STATE | FeatureFlag.SET,
        data: struct(["u32", number], ["u32", 0]),
      });
    machine.memory.fill(0x33);
    const [stop, running, copying, resuming] = [1, 2, 3, 4];
    await state(stop);
    const { stream } = await state(copying);
    const pieces: Uint8Array[] = [];
    for (;;) {
      const piece = await stream?.read?.(10_000);
      if (piece === undefined || piece.length === 0) break;
      pieces.push(piece);
    }
    assert.equal(Buffer.concat(pieces).length, machine.memory.length);
    await state(stop);
    machine.memory.fill(0);
    const { stream: into } = await state(resuming);
    for (const piece of pieces) await into?.write?.(piece);
    await state(stop);
    await state(running);
    assert.ok(machine.memory.every((byte) => byte === 0x33));
    const { data } = await device.call("FEATURE", { argsz: 16, flags: Feature.MIGRATION | FeatureFlag.GET });
    assert.equal(data[0], 1);
    assert.equal(
      await codeOf(device.call("FEATURE", { argsz: 2 ** 22, flags: Feature.MIGRATION | FeatureFlag.GET })),
      "E2BIG",
    );
  }));
