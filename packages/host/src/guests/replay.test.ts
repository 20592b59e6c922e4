import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createVmbusPipe, GLOBAL_CHANNEL, PCI_CHANNEL, VGPU_CHANNEL } from "parhelion-buses";
import { createRuntime, type LogRecord, type Runtime } from "parhelion-core";
import { pciCommand, VmbusMessage, vgpuCommand, vmCommand } from "parhelion-protocol";
import type { FailingTable } from "../store/store.test.fixture.js";
import { deviceRequest } from "../vgpu/bench.test.fixture.js";
import { House } from "./house.test.fixture.js";
import { Kernel } from "./kernel.test.fixture.js";
import { Tap, type TappedFrame } from "./tap.test.fixture.js";

interface Visitor {
  readonly kernel: Kernel;
  readonly guest: Tap;
  readonly host: Tap;
}

async function enter(house: House, credential: string): Promise<Visitor> {
  const pipe = createVmbusPipe(house.runtime, `tapped pipe ${house.runtime.ids.next("tapped pipe")}`);
  const [guest, host] = [new Tap(pipe.guest), new Tap(pipe.host)];
  const visitor = { reach: "local", from: undefined, known: () => undefined } as const;
  house.runtime.scheduler.spawn("meeting with a kernel", () => house.door.meet(host, visitor));
  return { kernel: await Kernel.connect(guest, credential, house.runtime), guest, host };
}

/** Until all that is on its way has arrived and been served. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 60; turn++) await new Promise((resolve) => setImmediate(resolve));
}

interface Holding {
  readonly process: number;
  readonly device: number;
  readonly syncObject: number;
}

/** What an owner makes and keeps. */
async function make({ kernel }: Visitor): Promise<Holding> {
  const process = await kernel.newProcess();
  const vgpu = await kernel.open(VGPU_CHANNEL);
  const asked = { privateData: deviceRequest() };
  const { device } = await vgpu.request(vgpuCommand.createDevice, asked, { process });
  const { context } = await vgpu.request(vgpuCommand.createContextVirtual, { device }, { process });
  await vgpu.request(vgpuCommand.createHwQueue, { context }, { process });
  const fence = { device, kind: 5, initialValue: 3n };
  const { syncObject } = await vgpu.request(vgpuCommand.createSyncObject, fence, { process });
  await vgpu.request(
    vgpuCommand.createAllocation,
    { device, allocations: [{ size: 64n }] as never },
    { process },
  );
  return { process, device, syncObject };
}

/** Everything that a guest can say, on all of its channels. */
async function sayAll(visitor: Visitor): Promise<void> {
  const { kernel } = visitor;
  const pci = await kernel.open(PCI_CHANNEL);
  await pci.request(pciCommand.queryFunction, {});
  await pci.request(pciCommand.configRead, { offset: 0, length: 4 });
  await pci.request(pciCommand.configWrite, { offset: 220, data: new Uint8Array(4) }).catch(() => undefined);
  const { process, device, syncObject } = await make(visitor);
  const vgpu = kernel.devices(VGPU_CHANNEL)[0]?.channel;
  assert.ok(vgpu !== undefined);
  const by = { process };
  const { adapter } = await vgpu.request(vgpuCommand.openAdapter, {}, by);
  await vgpu.request(vgpuCommand.getInternalAdapterInfo, {}, by);
  await vgpu.request(vgpuCommand.queryAdapterInfo, { infoType: 0x1000 }, by);
  await vgpu.request(vgpuCommand.queryVideoMemoryInfo, {}, by);
  await vgpu.request(vgpuCommand.isFeatureEnabled, {}, by);
  await vgpu.request(vgpuCommand.getDeviceState, { device, stateType: 1 }, by);
  const fences = { device, objects: [syncObject], fenceValues: [9n] };
  await vgpu.request(vgpuCommand.signalSyncObject, fences, by);
  await vgpu.request(vgpuCommand.waitForSyncFromCpu, fences, by);
  const { context } = await vgpu.request(vgpuCommand.createContextVirtual, { device }, by);
  const { queue } = await vgpu.request(vgpuCommand.createHwQueue, { context }, by);
  await vgpu.request(vgpuCommand.submitCommandToHwQueue, { queue }, by);
  await vgpu.request(vgpuCommand.destroyHwQueue, { queue }, by);
  await vgpu.request(vgpuCommand.destroyContext, { context }, by);
  const { allocations } = await vgpu.request(
    vgpuCommand.createAllocation,
    { device, allocations: [{ size: 64n }] as never },
    by,
  );
  await vgpu.request(vgpuCommand.destroyAllocation, { device, allocations }, by);
  await vgpu.request(vgpuCommand.destroySyncObject, { syncObject }, by);
  await vgpu.request(vgpuCommand.destroyDevice, { device }, by);
  await vgpu.request(vgpuCommand.closeAdapter, { adapter }, by);
  const global = kernel.devices(GLOBAL_CHANNEL)[0]?.channel;
  await global?.request(vmCommand.destroyProcess, {}, by);
  vgpu.close();
  pci.close();
  global?.close();
  await settle();
}

interface Scene {
  readonly house: House;
  readonly uuid: string;
  /** The next owner's. */
  readonly visitor: Visitor;
  /** Whether the next owner's connection is the one that was recorded. */
  readonly connection: "the same" | "another";
}

/** Whoever says `frames` on the next owner's connection is refused, and nothing is another than it was. */
async function refuses({ house, uuid, visitor, connection }: Scene, from: Visitor): Promise<void> {
  const [said, heard] = [from.guest.sent.slice(), from.host.sent.slice()];
  const holding = await make(visitor);
  let served = 0;
  house.engines.fate = () => {
    served += 1;
    return "goes on";
  };
  const vgpu = visitor.kernel.devices(VGPU_CHANNEL)[0]?.channel;
  assert.ok(vgpu !== undefined);
  const state = async (): Promise<unknown> => {
    const { process, device, syncObject } = holding;
    const { slice } = house.slices.get(uuid);
    const { executionState } = await vgpu.request(
      vgpuCommand.getDeviceState,
      { device, stateType: 1 },
      { process },
    );
    const wait = { device, objects: [syncObject], fenceValues: [3n] };
    await vgpu.request(vgpuCommand.waitForSyncFromCpu, wait, { process });
    const connections = [...house.guests.values()].map(({ connection }) => connection?.processes.size);
    return {
      executionState,
      connections,
      devices: slice?.devices.size,
      bytes: slice?.allocatedBytes,
      generation: slice?.generation,
      engines: house.engines.living.map(({ devices, queues }) => [devices.size, queues.size]),
      served,
      channel: vgpu.state,
      connection: visitor.kernel.connection.state,
      events: visitor.kernel.events.length,
    };
  };
  const before = await state();
  const replay = async (frames: readonly TappedFrame[], tap: Tap): Promise<void> => {
    // What is said of a connection that is still there, or of its processes, is not old.
    const [global] = visitor.kernel.devices(GLOBAL_CHANNEL);
    for (const frame of frames) {
      const living = isAboutConnection(frame) || isAbout(frame, global?.channel.relid);
      if (connection === "another" || !living) tap.replay(frame);
    }
    await settle();
  };
  await replay(said, visitor.guest);
  await replay([...said].reverse(), visitor.guest);
  assert.deepEqual(await state(), before, "all that was said, forwards and backwards");
  await fc.assert(
    fc.asyncProperty(fc.shuffledSubarray(said, { minLength: 1 }), async (frames) => {
      await replay(frames, visitor.guest);
      assert.deepEqual(await state(), before);
    }),
    { numRuns: 10 },
  );
  // Offers of an earlier connection may be of channels that this one has not: of a slice's generation that has gone they are refused.
  await replay(
    heard.filter((frame) => !isAboutConnection(frame) && !isOffer(frame)),
    visitor.host,
  );
  assert.deepEqual(await state(), before, "what was heard");
}

const aboutConnection: readonly number[] = [
  VmbusMessage.INITIATECONTACT,
  VmbusMessage.VERSIONRESPONSE,
  VmbusMessage.REQUESTOFFERS,
  VmbusMessage.ALLOFFERSDELIVERED,
  VmbusMessage.UNLOAD,
  VmbusMessage.UNLOADRESPONSE,
];
const isAboutConnection = ({ relid, payload }: TappedFrame): boolean =>
  relid === 0 && aboutConnection.includes(payload[0] ?? 0);
/** On the channel, or one of VMBus's own messages, which begin with a channel's number. */
const isAbout = ({ relid, payload }: TappedFrame, channel: number | undefined): boolean =>
  relid === channel ||
  (relid === 0 && payload.length >= 12 && Buffer.from(payload).readUInt32LE(8) === channel);
const isOffer = ({ relid, payload }: TappedFrame): boolean =>
  relid === 0 && payload[0] === VmbusMessage.OFFERCHANNEL;

async function inHouses(
  run: (open: (table?: FailingTable) => Promise<House>, log: readonly LogRecord[]) => Promise<void>,
): Promise<void> {
  const log: LogRecord[] = [];
  const houses: House[] = [];
  const runtime: Runtime = createRuntime({ log: (record) => log.push(record) });
  await run(async (table) => {
    const house = new House(runtime, table === undefined ? {} : { table });
    houses.push(house);
    await house.build();
    return house;
  }, log);
  for (const house of houses) await house.close();
  assert.ok(log.some(({ event, fields }) => event === "message.stale" && fields["code"] === "slice-stale"));
  assert.deepEqual(
    log.filter(({ level }) => level === "error"),
    [],
  );
}

test("what an owner of a slice has said is refused on the connection of its next owner", () =>
  inHouses(async (open) => {
    const house = await open();
    const [one, two] = [
      await house.guests.create({ name: "one" }),
      await house.guests.create({ name: "two" }),
    ];
    const [first] = house.slices.values().filter(({ record }) => record.holder === one.id);
    for (const other of house.slices.values())
      if (other.record.holder === two.id) await house.slices.remove(other.uuid);
    assert.ok(first !== undefined);
    const owner = await enter(house, one.credential);
    await sayAll(owner);
    await house.slices.move(first.uuid, { holder: two.id });
    const visitor = await enter(house, two.credential);
    await refuses({ house, uuid: first.uuid, visitor, connection: "another" }, owner);
  }));

test("what an owner of a slice has said is refused on the same connection when the slice comes back to it", () =>
  inHouses(async (open) => {
    const house = await open();
    const { id, credential } = await house.guests.create({ name: "one" });
    const [slice] = house.slices.values();
    assert.ok(slice !== undefined);
    const owner = await enter(house, credential);
    await sayAll(owner);
    const recorded = { ...owner, guest: copyOf(owner.guest), host: copyOf(owner.host) };
    await house.slices.move(slice.uuid, { holder: null });
    await house.slices.move(slice.uuid, { holder: id });
    await settle();
    await refuses({ house, uuid: slice.uuid, visitor: owner, connection: "the same" }, recorded);
  }));

test("what an owner of a slice has said to one host is refused by the next one", () =>
  inHouses(async (open) => {
    const house = await open();
    const { credential } = await house.guests.create({ name: "one", lifetime: "kept" });
    const [slice] = house.slices.values();
    assert.ok(slice !== undefined);
    const owner = await enter(house, credential);
    await sayAll(owner);
    await house.close();
    const next = await open(house.table);
    const visitor = await enter(next, credential);
    await refuses({ house: next, uuid: slice.uuid, visitor, connection: "another" }, owner);
  }));

function copyOf({ sent }: Tap): Tap {
  return { sent: sent.slice() } as Tap;
}
