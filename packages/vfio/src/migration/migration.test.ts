/** Features and migration, as a user of the device meets them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Completion, isKernelError } from "parhelion-core";
import {
  AttachedDevice,
  bytesMemory,
  EventCounter,
  Feature,
  FeatureFlag,
  IrqSetFlag,
  type MigrationArc,
  MigrationFlag,
  type MigrationState,
  migrationStates,
  nextState,
} from "../index.js";
import { rig, Toy } from "../toy.test.fixture.js";

const { GET, SET, PROBE } = FeatureFlag;
const all = MigrationFlag.STOP_COPY | MigrationFlag.P2P | MigrationFlag.PRE_COPY;

/** The ways that the kernel's documentation lists, with every optional feature there. */
const ways = `
PRE_COPY PRE_COPY_P2P STOP_COPY
PRE_COPY RUNNING RUNNING_P2P
PRE_COPY RUNNING RUNNING_P2P STOP
PRE_COPY RUNNING RUNNING_P2P STOP RESUMING
PRE_COPY_P2P RUNNING_P2P RUNNING
PRE_COPY_P2P RUNNING_P2P STOP
PRE_COPY_P2P RUNNING_P2P STOP RESUMING
RESUMING STOP RUNNING_P2P
RESUMING STOP RUNNING_P2P PRE_COPY_P2P
RESUMING STOP RUNNING_P2P RUNNING
RESUMING STOP RUNNING_P2P RUNNING PRE_COPY
RESUMING STOP STOP_COPY
RUNNING RUNNING_P2P PRE_COPY_P2P
RUNNING RUNNING_P2P STOP
RUNNING RUNNING_P2P STOP RESUMING
RUNNING RUNNING_P2P STOP STOP_COPY
RUNNING_P2P RUNNING PRE_COPY
RUNNING_P2P STOP RESUMING
RUNNING_P2P STOP STOP_COPY
STOP RUNNING_P2P PRE_COPY_P2P
STOP RUNNING_P2P RUNNING
STOP RUNNING_P2P RUNNING PRE_COPY
STOP_COPY STOP RESUMING
STOP_COPY STOP RUNNING_P2P
STOP_COPY STOP RUNNING_P2P RUNNING`;

function wayOf(from: MigrationState, to: MigrationState, flags: number): MigrationState[] {
  const way: MigrationState[] = [from];
  for (let at = from; at !== to; ) {
    at = nextState(at, to, flags);
    way.push(at);
    assert.ok(way.length < 9, "it goes in circles");
  }
  return way;
}

test("a device takes the steps that its driver has to know, and no others", () => {
  for (const way of ways.trim().split("\n")) {
    const states = way.split(" ") as MigrationState[];
    assert.deepEqual(wayOf(states[0] as MigrationState, states.at(-1) as MigrationState, all), states);
  }
  for (const to of ["PRE_COPY", "PRE_COPY_P2P"] as const) {
    assert.throws(() => nextState("STOP_COPY", to, all), { code: "EINVAL" });
  }
  assert.deepEqual(wayOf("RUNNING", "STOP_COPY", MigrationFlag.STOP_COPY), ["RUNNING", "STOP", "STOP_COPY"]);
  assert.deepEqual(wayOf("PRE_COPY", "STOP_COPY", 5), ["PRE_COPY", "STOP_COPY"]);
  for (const [from, to] of [
    ["RUNNING", "PRE_COPY"],
    ["RUNNING_P2P", "STOP"],
    ["RUNNING", "ERROR"],
    ["ERROR", "RUNNING"],
  ] as const) {
    assert.throws(() => nextState(from, to, MigrationFlag.STOP_COPY), { code: "EINVAL" });
  }
});

async function migrating(flags: number, fails: (arc: MigrationArc) => void = () => {}) {
  const r = await rig();
  const arcs: string[] = [];
  const ended: string[] = [];
  const device = await r.registered(new Toy(), undefined, {
    migration: {
      flags,
      step(arc) {
        fails(arc);
        arcs.push(`${arc.from}>${arc.to}`);
        const stream = { release: () => void ended.push(arc.to) };
        if (arc.to === "RESUMING") return { ...stream, write: () => {} };
        const isNew = arc.from === "RUNNING" || arc.from === "STOP";
        if ((arc.to === "STOP_COPY" || arc.to === "PRE_COPY") && isNew) {
          return {
            ...stream,
            read: () => Uint8Array.of(1, 2),
            precopyInfo: () => ({ initialBytes: 2n, dirtyBytes: 0n }),
          };
        }
        return undefined;
      },
      dataSize: () => 77n,
    },
  });
  const user = await AttachedDevice.open(r.system, "vfio0");
  const feature = (flags: number, data?: Uint8Array, argsz = 64) =>
    user.call("FEATURE", { argsz, flags, ...(data && { data }) });
  const set = async (state: MigrationState) =>
    (
      await feature(
        Feature.MIG_DEVICE_STATE | SET,
        Uint8Array.of(migrationStates.indexOf(state), 0, 0, 0, 255, 255, 255, 255),
      )
    ).stream;
  const state = async () => migrationStates[(await feature(Feature.MIG_DEVICE_STATE | GET)).data[0] ?? 99];
  const end = async () => {
    await user.close();
    await r.gone(device);
    await r.end();
  };
  return { ...r, device, user, feature, set, state, arcs, ended, end };
}

test("a device is stopped and copied, and its stream ends with the state", async () => {
  const { set, state, arcs, ended, feature, user, end } = await migrating(all);
  assert.equal(await state(), "RUNNING");
  const stream = await set("PRE_COPY");
  assert.deepEqual(stream?.precopyInfo?.(), { initialBytes: 2n, dirtyBytes: 0n });
  assert.equal(await set("STOP_COPY"), undefined);
  assert.deepEqual([...((await stream?.read?.(9)) ?? [])], [1, 2]);
  await assert.rejects(async () => stream?.write?.(new Uint8Array(1)), { code: "EINVAL" });
  assert.deepEqual(ended, []);
  await assert.rejects(set("PRE_COPY"), { code: "EINVAL" });
  const resuming = await set("RESUMING");
  await assert.rejects(async () => stream?.read?.(1), { code: "ENODEV" });
  await resuming?.write?.(Uint8Array.of(1));
  await set("RUNNING");
  assert.deepEqual(arcs, [
    "RUNNING>PRE_COPY",
    "PRE_COPY>PRE_COPY_P2P",
    "PRE_COPY_P2P>STOP_COPY",
    "STOP_COPY>STOP",
    "STOP>RESUMING",
    "RESUMING>STOP",
    "STOP>RUNNING_P2P",
    "RUNNING_P2P>RUNNING",
  ]);
  assert.deepEqual(ended, ["PRE_COPY", "RESUMING"]);
  assert.equal(
    new DataView((await feature(Feature.MIG_DATA_SIZE | GET)).data.buffer).getBigUint64(0, true),
    77n,
  );
  assert.equal((await feature(Feature.MIGRATION | GET)).data[0], 7);
  await set("STOP_COPY");
  await user.call("RESET", {});
  assert.deepEqual([await state(), ended.at(-1)], ["RUNNING", "STOP_COPY"]);
  await end();
});

test("after a step that fails the device is in ERROR, out of which only a reset leads", async () => {
  const { set, state, user, end } = await migrating(MigrationFlag.STOP_COPY, ({ to }) => {
    if (to === "STOP_COPY") throw new Error("can't");
  });
  await assert.rejects(set("STOP_COPY"), /can't/);
  assert.equal(await state(), "ERROR");
  await assert.rejects(set("RUNNING"), { code: "EINVAL" });
  await user.call("RESET", {});
  assert.equal(await state(), "RUNNING");
  await set("STOP");
  assert.equal(await state(), "STOP");
  await end();
});

test("a feature's flags are checked in their order, and probing does nothing", async () => {
  const { feature, arcs, end } = await migrating(MigrationFlag.STOP_COPY);
  const refused = (run: Promise<unknown>, code: string) => assert.rejects(run, { code });
  await refused(feature(Feature.MIGRATION | GET, undefined, 7), "EINVAL");
  await refused(feature(Feature.MIGRATION | 0x8_0000), "EINVAL");
  await refused(feature(Feature.MIGRATION | GET | SET), "EINVAL");
  await refused(feature(Feature.MIGRATION | SET), "EINVAL");
  await refused(feature(Feature.MIGRATION), "EINVAL");
  await refused(feature(Feature.MIGRATION | GET, undefined, 15), "EINVAL");
  await refused(feature(Feature.MIG_DEVICE_STATE | SET, Uint8Array.of(99, 0, 0, 0, 0, 0, 0, 0)), "EINVAL");
  await refused(feature(Feature.MIG_DEVICE_STATE | SET, Uint8Array.of(1)), "EINVAL");
  await refused(feature(999 | GET), "ENOTTY");
  await feature(Feature.MIG_DEVICE_STATE | PROBE);
  await feature(Feature.MIG_DEVICE_STATE | PROBE | GET | SET);
  await refused(feature(Feature.MIGRATION | PROBE | SET), "EINVAL");
  assert.deepEqual(arcs, []);
  await end();
});

test("a device without migration knows none of its features, and its own go to the driver", async () => {
  const r = await rig();
  const device = await r.registered(new Toy(), undefined, {
    feature: ({ flags }) => ({ data: Uint8Array.of(flags & 0xff) }),
  });
  const user = await AttachedDevice.open(r.system, "vfio0");
  for (const each of [Feature.MIGRATION, Feature.MIG_DEVICE_STATE, Feature.MIG_DATA_SIZE]) {
    await assert.rejects(user.call("FEATURE", { argsz: 16, flags: each | PROBE }), { code: "ENOTTY" });
  }
  assert.deepEqual([...(await user.call("FEATURE", { argsz: 8, flags: 3 | SET })).data], [3]);
  await user.close();
  await r.gone(device);
  await r.end();
});

test("what a device writes is logged, page by page and once, whatever its driver does", async () => {
  const { feature, device, user, end } = await migrating(MigrationFlag.STOP_COPY);
  await user.map(0n, 0x10000n, bytesMemory(new Uint8Array(0x10000)));
  const start = (pageSize: bigint, ...ranges: readonly (readonly [bigint, bigint])[]) => {
    const data = new Uint8Array(16 + ranges.length * 16);
    const view = new DataView(data.buffer);
    view.setBigUint64(0, pageSize, true);
    view.setUint32(8, ranges.length, true);
    for (const [index, [iova, length]] of ranges.entries()) {
      view.setBigUint64(16 + index * 16, iova, true);
      view.setBigUint64(24 + index * 16, length, true);
    }
    return feature(Feature.DMA_LOGGING_START | SET, data);
  };
  const report = async (iova: bigint, length: bigint, pageSize: bigint, argsz = 64) => {
    const data = new Uint8Array(new BigUint64Array([iova, length, pageSize]).buffer);
    return (await feature(Feature.DMA_LOGGING_REPORT | GET, data, argsz)).data[24];
  };
  await assert.rejects(report(0n, 0x4000n, 4096n), { code: "EINVAL" }, "it is off");
  for (const wrong of [
    start(0n, [0n, 4096n]),
    start(3000n, [0n, 3000n]),
    start(4096n),
    start(4096n, [0n, 0n]),
  ]) {
    await assert.rejects(wrong, { code: "EINVAL" });
  }
  await assert.rejects(start(4096n, [0n, 8192n], [4096n, 4096n]), { code: "EINVAL" }, "they overlap");
  await start(4096n, [0n, 0x8000n]);
  await assert.rejects(start(4096n, [0n, 0x8000n]), { code: "EINVAL" }, "it is on");
  await device.dma.write(0x1fffn, Uint8Array.of(1, 2));
  await device.dma.write(0x9000n, Uint8Array.of(1));
  await device.dma.read(0x3000n, 8);
  const pin = device.dma.pin(0x4000n, 8, "write");
  await assert.rejects(
    report(0n, 0x8000n, 4096n, 39),
    { code: "EINVAL" },
    "it has no room, and takes nothing",
  );
  assert.equal(await report(0n, 0x8000n, 4096n), 0b10110);
  assert.equal(await report(0n, 0x8000n, 8192n), 0b100, "what is pinned is written all the time");
  pin.unpin();
  assert.equal(await report(0n, 0x8000n, 4096n), 0b10000);
  assert.equal(await report(0n, 0x8000n, 4096n), 0);
  await assert.rejects(report(1n, 0x8000n, 4096n), { code: "EINVAL" });
  await assert.rejects(report(0n, 0x8000n, 2048n), { code: "EINVAL" }, "no page is so small");
  await assert.rejects(report(0n, 0x8000n, 4096n, 32), { code: "EINVAL" });
  await feature(Feature.DMA_LOGGING_STOP | SET);
  await feature(Feature.DMA_LOGGING_STOP | SET);
  await assert.rejects(report(0n, 0x4000n, 4096n), { code: "EINVAL" });
  await start(8192n, [0n, 0x4000n]);
  await device.dma.write(0n, Uint8Array.of(1));
  assert.equal(await report(0n, 0x1000n, 4096n), 1);
  assert.equal(await report(0x1000n, 0x1000n, 4096n), 1, "half of a page was asked for, not the other half");
  assert.equal(await report(0n, 0x4000n, 4096n), 0b11);
  assert.equal(await report(0n, 0x4000n, 4096n), 0);
  await feature(Feature.DMA_LOGGING_STOP | SET);
  await start(1n, [0x1800n, 0x100n], [0x5000n, 0x10n]);
  await device.dma.write(0x1000n, new Uint8Array(0x700));
  assert.equal(await report(0n, 0x8000n, 4096n), 0, "beside the ranges");
  await device.dma.write(0n, new Uint8Array(0x6000));
  assert.equal(await report(0n, 0x8000n, 4096n), 0b100010);
  await feature(Feature.DMA_LOGGING_STOP | SET);
  await end();
});

test("a device that stands still reaches neither its user's memory nor its user, and nothing is lost", async () => {
  const during: string[] = [];
  const r = await rig();
  const device = await r.registered(new Toy(), undefined, {
    irqs: () => [{ count: 1 }, { count: 1, notice: true }, { count: 1, automasked: true }],
    migration: {
      flags: MigrationFlag.STOP_COPY,
      async step({ from, to }) {
        during.push(`${from}>${to} ${await codeOf(() => device.dma.read(0n, 1))}`);
        if (to === "ERROR" || (from === "STOP_COPY" && during.includes("break"))) throw new Error("broken");
        return to === "RESUMING" || to === "STOP_COPY" ? {} : undefined;
      },
    },
  });
  const user = await AttachedDevice.open(r.system, "vfio0");
  const set = (state: MigrationState) =>
    user.call("FEATURE", {
      argsz: 16,
      flags: Feature.MIG_DEVICE_STATE | SET,
      data: Uint8Array.of(migrationStates.indexOf(state), 0, 0, 0, 255, 255, 255, 255),
    });
  await user.map(0n, 4096n, bytesMemory(new Uint8Array(4096)));
  const told = [0, 1, 2].map((index) => new EventCounter(r.runtime, `irq ${index}`));
  for (const [index, eventfd] of told.entries()) {
    const flags = IrqSetFlag.DATA_EVENTFD | IrqSetFlag.ACTION_TRIGGER;
    await user.call("SET_IRQS", { argsz: 24, flags, index, start: 0, count: 1, data: [eventfd] });
  }
  const counts = () => told.map(({ count }) => count);
  const pin = device.dma.pin(0n, 16, "read-write");
  const looks = async () => [
    await codeOf(() => device.dma.read(0n, 1)),
    await codeOf(() => device.dma.write(0n, Uint8Array.of(1))),
    await codeOf(async () => device.dma.view(0n, 1, "read")),
    await codeOf(async () => device.dma.pin(0n, 1, "read")),
    await codeOf(async () => pin.view()),
    await codeOf(() => pin.read(0, 1)),
  ];
  const still = new Array(6).fill("EBUSY");
  assert.deepEqual(await looks(), new Array(6).fill("done"));
  for (const state of ["STOP", "STOP_COPY", "RESUMING"] as const) {
    await set(state);
    assert.deepEqual(await looks(), still, state);
    assert.ok(device.irqs.trigger(0));
    device.irqs.drive(2, "high");
    device.irqs.trigger(1);
  }
  assert.deepEqual(counts(), [0, 3, 0]);
  // What the user does by itself it gets.
  const fire = IrqSetFlag.DATA_NONE | IrqSetFlag.ACTION_TRIGGER;
  await user.call("SET_IRQS", { argsz: 20, flags: fire, index: 1, start: 0, count: 1 });
  await set("RUNNING");
  assert.deepEqual(counts(), [1, 4, 1]);
  assert.equal(device.irqs.masked(2), true);
  assert.deepEqual(await looks(), new Array(6).fill("done"));
  await set("STOP_COPY");
  during.push("break");
  await assert.rejects(set("RUNNING"));
  assert.equal(device.migration?.state, "ERROR");
  assert.deepEqual(await looks(), still, "ERROR");
  await user.call("RESET", {});
  assert.deepEqual(await looks(), new Array(6).fill("done"));
  assert.deepEqual(during, [
    "RUNNING>STOP done",
    "STOP>STOP_COPY EBUSY",
    "STOP_COPY>STOP EBUSY",
    "STOP>RESUMING EBUSY",
    "RESUMING>STOP EBUSY",
    "STOP>RUNNING done",
    "RUNNING>STOP done",
    "STOP>STOP_COPY EBUSY",
    "break",
    "STOP_COPY>STOP EBUSY",
  ]);
  await user.close();
  await r.gone(device);
  await r.end();
});

test("what a device does with its user's memory ends when the device stands still", async () => {
  const r = await rig();
  const device = await r.registered(new Toy(), undefined, {
    migration: { flags: MigrationFlag.STOP_COPY, step: () => {} },
  });
  const user = await AttachedDevice.open(r.system, "vfio0");
  const answer = new Completion<Uint8Array>(r.runtime, "the user's answer");
  await user.map(0n, 4096n, { read: () => answer.wait(), write: () => {} });
  const read = codeOf(() => device.dma.read(0n, 16));
  const data = Uint8Array.of(migrationStates.indexOf("STOP"), 0, 0, 0, 255, 255, 255, 255);
  await user.call("FEATURE", { argsz: 16, flags: Feature.MIG_DEVICE_STATE | SET, data });
  assert.equal(await read, "EBUSY");
  answer.completeAll(new Uint8Array(16));
  await user.close();
  await r.gone(device);
  await r.end();
});

async function codeOf(run: () => Promise<unknown>): Promise<string> {
  try {
    await run();
    return "done";
  } catch (error) {
    if (isKernelError(error)) return error.code;
    throw error;
  }
}
