/** What the user of a subchannel's VFIO device sees: regions, interrupts, and each answer that there is. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  Actl,
  type Ccw1,
  CcwFlag,
  ccw1,
  crw as crwLayout,
  Dstat,
  Erc,
  Fctl,
  irb as irbLayout,
  type Orb,
  orb as orbLayout,
  Rsc,
  Stctl,
  schib as schibLayout,
  scsw as scswLayout,
} from "parhelion-buses";
import { Completion, Errno, type ErrnoCode, isKernelError, type Runtime } from "parhelion-core";
import { AttachedDevice, bytesMemory, EventCounter, IrqSetFlag } from "parhelion-vfio";
import type { ChannelDevice, DeviceLine, Ending } from "../interpreter/device.js";
import type { Answer } from "../storage/index.js";
import { type Rig, rig } from "./rig.test.fixture.js";

/** A device that takes its time: a command ends when the test says so, or when it is halted. */
class Slow implements ChannelDevice {
  readonly #runtime: Runtime;
  readonly begun: Completion;
  #running: Completion<Ending> | null = null;
  line: DeviceLine | null = null;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
    this.begun = new Completion(runtime, "begun");
  }

  execute(
    _command: unknown,
    data: { accept(): void; send(bytes: Uint8Array): Answer<number> },
  ): Promise<Ending> {
    data.accept();
    const running = new Completion<Ending>(this.#runtime, "command");
    this.#running = running;
    this.begun.complete();
    return running.wait({ deadline: Number.POSITIVE_INFINITY });
  }

  end(status = Dstat.CHN_END | Dstat.DEV_END): void {
    this.#running?.completeAll({ status });
  }

  halt(): void {
    this.end(0);
  }

  attached(line: DeviceLine): void {
    this.line = line;
  }
}

interface Open {
  readonly machine: Rig;
  readonly slow: Slow;
  readonly user: AttachedDevice;
  readonly memory: Uint8Array;
  readonly io: EventCounter;
  readonly crw: EventCounter;
  readonly request: EventCounter;
}

const chpid = 0x30;
const offsets = [0n, 0x400n, 0x800n, 0xc00n] as const;

async function open(options: Parameters<typeof rig>[0] = {}): Promise<Open> {
  const machine = await rig(options);
  const slow = new Slow(machine.runtime);
  const id = machine.machine.attach({ device: slow, devno: 0x777, chpids: [chpid, 0x31] });
  await machine.css.settle();
  await machine.css.settle();
  const user = await AttachedDevice.open(machine.system, await machine.passThrough(id));
  const memory = new Uint8Array(16 * 4096);
  await user.map(0n, BigInt(memory.length), bytesMemory(memory));
  const counters = ["io", "crw", "request"].map((name) => new EventCounter(machine.runtime, name));
  for (const [index, counter] of counters.entries()) {
    await user.call("SET_IRQS", {
      argsz: 64,
      flags: IrqSetFlag.DATA_EVENTFD | IrqSetFlag.ACTION_TRIGGER,
      index,
      start: 0,
      count: 1,
      data: [counter],
    });
  }
  const [io, crw, request] = counters as [EventCounter, EventCounter, EventCounter];
  return { machine, slow, user, memory, io, crw, request };
}

async function done({ machine, user }: Open): Promise<void> {
  await user.close().catch((error: unknown) => assert.ok(isKernelError(error, "EBADF")));
  await machine.end();
  assert.equal(machine.storage.used, 0);
}

function ioBytes(orb: Partial<Orb>, fctl: number = Fctl.START): Uint8Array {
  const bytes = new Uint8Array(24);
  bytes.set(orbLayout.encode({ fmt: 1, pfch: 1, ...orb }));
  bytes.set(scswLayout.encode({ fctl }), 12);
  return bytes;
}

async function answerOf(call: Promise<unknown>): Promise<"done" | ErrnoCode> {
  try {
    await call;
    return "done";
  } catch (error) {
    if (isKernelError(error)) return error.code;
    throw error;
  }
}

/** A write that meets the telling of a status is refused for that moment. */
async function settled(write: () => Promise<unknown>): Promise<"done" | ErrnoCode> {
  for (;;) {
    const answer = await answerOf(write());
    if (answer !== "EAGAIN") return answer;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Writes a request. The region says the same as the call. */
async function start({ user }: Open, orb: Partial<Orb> = {}, fctl?: number): Promise<"done" | ErrnoCode> {
  const answer = await settled(() => user.call("WRITE", { offset: 0n, bytes: ioBytes(orb, fctl) }));
  const region = await user.call("READ", { offset: 120n, length: 4 });
  const code = new DataView(region.buffer, region.byteOffset).getInt32(0);
  assert.equal(code, answer === "done" ? 0 : -Errno[answer]);
  return answer;
}

async function stop({ user }: Open, command: number): Promise<"done" | ErrnoCode> {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setUint32(0, command);
  return settled(() => user.call("WRITE", { offset: 0x400n, bytes }));
}

async function statusOf({ user }: Open) {
  return irbLayout.decode(await user.call("READ", { offset: 24n, length: 96 })).scsw;
}

function program({ memory }: Open, ...ccws: readonly Partial<Ccw1>[]): void {
  for (const [index, ccw] of ccws.entries()) memory.set(ccw1.encode(ccw), index * 8);
}

const control = { cmd: 0x07, count: 6, cda: 0x2000 };

test("regions, interrupts and what they are is told as the interface says", async () => {
  const device = await open();
  const { user } = device;
  const info = await user.call("GET_INFO", { argsz: 32 });
  assert.deepEqual([info.flags & 0x11, info.numRegions, info.numIrqs], [0x11, 4, 3]);
  const expected = [
    [124n, 3, null],
    [8n, 3, 1],
    [52n, 1, 2],
    [8n, 1, 3],
  ] as const;
  for (const [index, [size, access, subtype]] of expected.entries()) {
    const region = await user.call("GET_REGION_INFO", { argsz: 128, index });
    assert.deepEqual([region.size, region.flags & 3, region.offset], [size, access, offsets[index]]);
    const view = new DataView(region.capabilities.buffer, region.capabilities.byteOffset);
    if (subtype === null) assert.equal(region.capOffset, 0);
    else {
      assert.deepEqual(
        [view.getUint16(0, true), view.getUint32(8, true), view.getUint32(12, true)],
        [2, 2, subtype],
      );
    }
  }
  assert.equal(await answerOf(user.call("GET_REGION_INFO", { argsz: 32, index: 4 })), "EINVAL");
  for (const index of [0, 1, 2]) {
    const irq = await user.call("GET_IRQ_INFO", { argsz: 16, index });
    assert.deepEqual([irq.count, irq.flags & 1], [1, 1]);
  }
  assert.equal(await answerOf(user.call("GET_IRQ_INFO", { argsz: 16, index: 3 })), "EINVAL");
  for (const [offset, length] of [
    [124n, 1],
    [120n, 8],
    [0x408n, 1],
    [0x800n, 53],
    [0x1000n, 1],
  ] as const) {
    assert.equal(await answerOf(user.call("READ", { offset, length })), "EINVAL", `${offset}`);
  }
  for (const offset of [0x800n, 0xc00n]) {
    const bytes = new Uint8Array(8);
    assert.equal(await answerOf(user.call("WRITE", { offset, bytes })), "EINVAL", "for reading only");
  }
  await done(device);
});

test("a channel program is started, ends, and is told with the guest's address", async () => {
  const device = await open();
  program(
    device,
    { ...control, flags: CcwFlag.CC | CcwFlag.SLI },
    { cmd: 0x03, count: 1, flags: CcwFlag.SLI, cda: 0x2000 },
  );
  assert.equal(await start(device), "done");
  await device.slow.begun.wait();
  assert.equal(await start(device), "EBUSY", "one runs");
  device.slow.end();
  await device.slow.begun.wait();
  device.slow.end();
  await device.io.wait();
  const scsw = await statusOf(device);
  assert.deepEqual(
    [scsw.cpa, scsw.dstat, scsw.cstat, scsw.fctl],
    [16, Dstat.CHN_END | Dstat.DEV_END, 0, Fctl.START],
  );
  assert.equal(await start(device), "done", "the next one");
  await done(device);
});

test("what can't be started is refused with its reason, and nothing is left of it", async () => {
  const device = await open();
  program(device, control);
  const cases: readonly (readonly [string, Partial<Orb>, number | undefined, ErrnoCode | "done"])[] = [
    ["transport mode", { b: 1 }, undefined, "EOPNOTSUPP"],
    ["halt", {}, Fctl.HALT, "EOPNOTSUPP"],
    ["clear", {}, Fctl.CLEAR, "EOPNOTSUPP"],
    ["nothing", {}, 0, "done"],
    ["a program where none can be", { cpa: 4 }, undefined, "EINVAL"],
    ["a program where there is no memory", { cpa: 0x10_0000 }, undefined, "EFAULT"],
  ];
  for (const [what, orb, fctl, answer] of cases) {
    // The answer to what is nothing at all is the one that stands there.
    if (what === "nothing")
      await device.user.call("WRITE", { offset: 120n, bytes: new Uint8Array(4) }).catch(() => {});
    const bytes = ioBytes(orb, fctl);
    const whole = new Uint8Array(124);
    whole.set(bytes);
    assert.equal(await answerOf(device.user.call("WRITE", { offset: 0n, bytes: whole })), answer, what);
    assert.equal(device.machine.storage.used, 0, what);
  }
  program(device, { ...control, cda: 0x7000_0000 });
  assert.equal(await start(device), "EFAULT", "data where there is no memory");
  assert.equal(await stop(device, 3), "EINVAL", "no such command");
  assert.equal(
    await start(device, { cpa: 0x100, fmt: 1 }),
    "done",
    "an empty CCW is for the channel to object to",
  );
  await device.io.wait();
  assert.equal((await statusOf(device)).cstat & 0x20, 0x20);
  await done(device);
});

test("a write that comes while another one is under way is refused, and not kept waiting", async () => {
  const device = await open();
  const { user, machine } = device;
  const gate = new Completion<Uint8Array>(machine.runtime, "the user's memory");
  await user.map(0x10_0000n, 4096n, { read: () => gate.wait(), write: () => {} }, "read");
  const first = start(device, { cpa: 0x10_0000 });
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(await answerOf(user.call("WRITE", { offset: 0n, bytes: ioBytes({}) })), "EAGAIN");
  assert.equal(await answerOf(user.call("WRITE", { offset: 0x400n, bytes: new Uint8Array(8) })), "EAGAIN");
  gate.completeAll(new Uint8Array(2048));
  await first;
  await done(device);
});

test("memory that is taken back while its program is translated ends that, and is not waited for", async () => {
  const device = await open();
  const { user, machine } = device;
  const never = new Completion<Uint8Array>(machine.runtime, "the user's memory");
  await user.map(0x10_0000n, 4096n, { read: () => never.wait(), write: () => {} }, "read");
  const first = start(device, { cpa: 0x10_0000 });
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(await user.unmap(0x10_0000n, 4096n), 4096n);
  assert.equal(await first, "EFAULT");
  program(device, control);
  assert.equal(await start(device), "done");
  never.completeAll(new Uint8Array(0));
  await done(device);
});

test("memory that a running program has pinned is given back by a reset", async () => {
  const device = await open();
  program(device, control);
  assert.equal(await start(device), "done");
  await device.slow.begun.wait();
  assert.ok(device.machine.storage.used > 0);
  await device.user.unmap(0n, BigInt(device.memory.length));
  assert.equal(device.machine.storage.used, 0);
  assert.ok(!device.machine.log.some(({ event }) => event === "vfio.pins-left"));
  await device.user.map(0n, BigInt(device.memory.length), bytesMemory(device.memory));
  assert.equal(await start(device), "done", "it is open, and idle");
  await done(device);
});

test("halt and clear end what runs; a reset does, too, and says nothing", async () => {
  const device = await open();
  program(device, control);
  for (const [command, fctl] of [
    [1, Fctl.HALT],
    [2, Fctl.CLEAR],
  ] as const) {
    assert.equal(await start(device), "done");
    await device.slow.begun.wait();
    assert.equal(await stop(device, command), "done");
    await device.io.wait();
    const scsw = await statusOf(device);
    assert.equal(scsw.fctl & fctl, fctl);
    assert.equal(scsw.actl & (Actl.SCHACT | Actl.DEVACT), 0);
  }
  assert.equal(await start(device), "done");
  await device.slow.begun.wait();
  await device.user.call("RESET", {});
  assert.equal(device.io.count, 0);
  assert.equal(device.machine.storage.used, 0);
  assert.equal(await start(device), "done");
  await done(device);
});

test("what the device says by itself comes as it is", async () => {
  const device = await open();
  device.slow.line?.unsolicited(Dstat.ATTENTION);
  await device.io.wait();
  const { dstat, stctl } = await statusOf(device);
  assert.deepEqual([dstat, stctl], [Dstat.ATTENTION, Stctl.PEND | Stctl.ALERT]);
  await done(device);
});

test("a status that was not read yet is not written over by the next request", async () => {
  const device = await open();
  device.slow.line?.unsolicited(Dstat.ATTENTION);
  await device.io.wait();
  const whole = new Uint8Array(124);
  whole.set(ioBytes({}, Fctl.HALT));
  const write = () => device.user.call("WRITE", { offset: 0n, bytes: whole });
  assert.equal(await settled(write), "EOPNOTSUPP");
  assert.equal((await statusOf(device)).dstat, Dstat.ATTENTION);
  assert.equal(await settled(write), "EOPNOTSUPP");
  assert.equal((await statusOf(device)).dstat, 0, "one that was read is the user's to write over");
  await done(device);
});

test("a reset leaves no status of what was before it", async () => {
  const device = await open();
  for (let call = 0; call < 2; call += 1) {
    device.slow.line?.unsolicited(Dstat.ATTENTION);
    if (call === 0) await device.io.wait();
  }
  await device.user.call("RESET", {});
  assert.deepEqual([(await statusOf(device)).dstat, (await statusOf(device)).dstat], [0, 0]);
  device.slow.line?.unsolicited(Dstat.ATTENTION | Dstat.UNIT_EXCEP);
  for (let dstat = 0; dstat === 0; dstat = (await statusOf(device)).dstat) await device.io.wait();
  await done(device);
});

test("without a path nothing is started; paths that go and come are told one by one", async () => {
  const device = await open();
  const { machine, user, crw } = device;
  program(device, control);
  machine.machine.path(chpid).configure("offline");
  machine.machine.path(chpid).configure("online");
  await machine.css.settle();
  await machine.css.settle();
  await crw.wait();
  const reports: unknown[] = [];
  for (;;) {
    const bytes = await user.call("READ", { offset: 0xc00n, length: 8 });
    if (bytes.every((byte) => byte === 0)) break;
    const { rsc, erc, rsid } = crwLayout.decode(bytes);
    reports.push([rsc, erc, rsid]);
  }
  assert.deepEqual(reports, [
    [Rsc.CPATH, Erc.PERRN, chpid],
    [Rsc.CPATH, Erc.INIT, chpid],
  ]);
  assert.equal(await start(device, { lpm: 0x40 }), "done", "the other path");
  await device.slow.begun.wait();
  device.slow.end();
  await device.io.wait();
  await machine.css.vary(chpid, "off");
  await machine.css.vary(0x31, "off");
  assert.equal(await start(device), "ENODEV");
  await machine.css.vary(chpid, "on");
  assert.equal(await start(device), "done");
  await done(device);
});

test("the SCHIB is that of the moment", async () => {
  const device = await open();
  const read = async () =>
    schibLayout.decode(await device.user.call("READ", { offset: 0x800n, length: schibLayout.size }));
  const { pmcw } = await read();
  assert.deepEqual([pmcw.dev, pmcw.ena, pmcw.pim], [0x777, 1, 0xc0]);
  program(device, control);
  await start(device);
  await device.slow.begun.wait();
  assert.notEqual((await read()).scsw.actl & Actl.SCHACT, 0);
  await done(device);
});

test("the subchannel is enabled while it is open, and only then", async () => {
  const device = await open();
  const { machine, user } = device;
  const [id] = machine.machine.provided();
  assert.ok(id);
  const enabled = () => machine.machine.stsch(id).schib?.pmcw.ena;
  assert.equal(enabled(), 1);
  await user.close();
  assert.equal(enabled(), 0);
  const again = await AttachedDevice.open(machine.system, user.file.name.split("#")[0] ?? "");
  assert.equal(enabled(), 1);
  assert.deepEqual(await again.call("READ", { offset: 0n, length: 124 }), new Uint8Array(124));
  await again.close();
  await done(device);
});

test("a device that does not stop is given up, not waited for, and reaches nothing any more", async () => {
  const device = await open({ quiesceMs: 50, clearMs: 100_000 });
  device.slow.halt = () => {};
  program(device, { cmd: 0x02, count: 64, cda: 0x3000 });
  assert.equal(await start(device), "done");
  await device.slow.begun.wait();
  assert.equal(await answerOf(device.user.call("RESET", {})), "EINVAL");
  assert.equal(device.machine.storage.used, 0);
  assert.ok(device.machine.log.some(({ event }) => event === "vfio-ccw.not-stopped"));
  assert.match(await answerOf(device.user.call("WRITE", { offset: 0n, bytes: ioBytes({}) })), /EIO|ENODEV/);
  device.slow.end();
  await done(device);
});

test("whoever removes the device asks its user first, who keeps it for as long as it may", async () => {
  const device = await open({ revokeMs: 60_000 });
  const { machine, user, request } = device;
  const [subchannel] = machine.css.subchannels();
  assert.ok(subchannel);
  const removal = machine.system.unbind(machine.ccw.cssDriver as never, subchannel.name);
  await request.wait();
  program(device, control);
  assert.equal(await start(device), "done", "it still works");
  await user.close();
  await removal;
  await done(device);
});
