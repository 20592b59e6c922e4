/** The vGPU's function as a driver has it, through VFIO, with somebody behind it who does as the tests say. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { VGPU_IDS } from "parhelion-buses";
import { Completion, isKernelError } from "parhelion-core";
import { PciRegion } from "../../region/region.js";
import type { VgpuNotice, VgpuReply } from "./vgpu-backend.js";
import { iova, queueBytes, slots } from "./vgpu-driver.test.fixture.js";
import {
  CommandSlot,
  MOST_COMMAND_BYTES,
  MOST_QUEUES,
  QueueRegister,
  QueueState,
  VGPU_BAR_BYTES,
  VGPU_MAGIC,
  VgpuPage,
  VgpuRegister,
  VgpuStatus,
  VgpuVector,
} from "./vgpu-registers.js";
import { withVgpu } from "./vgpu-rig.test.fixture.js";

test("its configuration space is a vGPU's, with a base address and MSI-X in the list of capabilities", () =>
  withVgpu(async ({ driver: { user } }) => {
    assert.equal(await user.config(0, 4), (VGPU_IDS.deviceId << 16) | VGPU_IDS.vendorId);
    assert.equal(await user.config(8, 4), VGPU_IDS.classCode * 256);
    assert.deepEqual(await user.barSizes(), [VGPU_BAR_BYTES, 0, 0, 0, 0, 0]);
    const capabilities = new Map<number, number>();
    for (let at = await user.config(0x34); at !== 0; at = await user.config(at + 1))
      capabilities.set(await user.config(at), at);
    const msix = capabilities.get(0x11) ?? 0;
    assert.deepEqual(
      [await user.config(msix + 2, 2), await user.config(msix + 4, 4), await user.config(msix + 8, 4)],
      [2, VgpuPage.msixTable, VgpuPage.msixPending],
    );
    assert.ok(capabilities.has(0x09));
    assert.equal(await user.config(192, 4), 0x0123_4567);
    await user.write(PciRegion.CONFIG, 212, 0b11, 4);
    assert.deepEqual([await user.config(212, 4), await user.config(220, 4)], [5, 0b10]);
  }));

test("a command is fetched when the doorbell rings, answered in its slot, and interrupts", () =>
  withVgpu(async ({ driver, backend }) => {
    assert.equal(await driver.register(VgpuRegister.magic), VGPU_MAGIC);
    const { status, body } = await driver.command(7, Buffer.from("request"), { channel: 1, process: 3 });
    assert.deepEqual([status, body.toString()], [0, "request"]);
    const [command] = backend.served;
    assert.deepEqual([command?.channel, command?.type, command?.process], ["machine", 7, 3]);
    assert.equal(await driver.register(VgpuRegister.commandsAnswered), 1);
    for (let i = 0; i < 3 * slots; i++) {
      const text = `number ${i}`;
      assert.equal((await driver.command(8, Buffer.from(text))).body.toString(), text);
    }
    assert.equal(await driver.register(VgpuRegister.commandsAnswered), 1 + 3 * slots);
  }));

test("commands are answered in the order in which they end", () =>
  withVgpu(async ({ driver, backend, runtime }) => {
    const slow = new Completion<VgpuReply>(runtime, "slow");
    backend.answer = ({ type, body }) => (type === 1 ? slow.wait() : { status: 0, body });
    const first = driver.place(1, Buffer.from("slow"));
    const second = driver.place(2, Buffer.from("quick"));
    await driver.ring();
    while (!driver.isDone(second)) await driver.answered.wait();
    assert.equal(driver.isDone(first), false);
    slow.completeAll({ status: 0, body: Buffer.from("at last") });
    while (!driver.isDone(first)) await driver.answered.wait();
    assert.equal(driver.answer(first).body.toString(), "at last");
  }));

test("an error comes with its words, and a reply without room is not cut", () =>
  withVgpu(async ({ driver, backend }) => {
    backend.answer = () => ({ status: -5, body: Buffer.from("it can't be done") });
    const failed = await driver.command(1, Buffer.alloc(0), { room: 8 });
    assert.deepEqual([failed.status, failed.body.toString()], [-5, "it can't"]);
    backend.answer = () => ({ status: 0, body: Buffer.alloc(100) });
    const short = await driver.command(1, Buffer.alloc(0), { room: 99 });
    assert.deepEqual([short.status >>> 0, short.body.length], [0xc000_0023, 0]);
  }));

test("memory that is not there, and more commands than slots, fail the function and nothing else", () =>
  withVgpu(async ({ driver, backend }) => {
    const failed = async (): Promise<boolean> =>
      ((await driver.register(VgpuRegister.status)) & VgpuStatus.failed) !== 0;
    const breakings: (() => Promise<void>)[] = [
      async () => {
        driver.place(1, Buffer.alloc(4));
        driver.memory.writeBigUInt64LE(0x10n, CommandSlot.requestBase);
        await driver.ring();
      },
      async () => {
        driver.place(1, Buffer.alloc(4));
        driver.memory.writeBigUInt64LE(0x10n, CommandSlot.replyBase);
        await driver.ring();
      },
      async () => {
        driver.place(1, Buffer.alloc(4));
        driver.memory.writeUInt32LE(MOST_COMMAND_BYTES + 1, CommandSlot.requestBytes);
        await driver.ring();
      },
      () => driver.ring(slots + 1),
      async () => {
        await driver.user.device.unmap(iova, BigInt(driver.memory.length));
        await driver.ring(1);
      },
    ];
    for (const each of breakings) {
      await driver.user.device.call("RESET", {});
      await driver.begin();
      assert.equal(await failed(), false);
      await each();
      for (let left = 10_000; !(await failed()); left--) assert.ok(left > 0, String(each));
      const { length } = backend.served;
      await driver.ring(2);
      assert.equal(backend.served.length, length, "what comes later is not looked at");
    }
  }, Array<string>(5).fill("vfio.vgpu-failed")));

test("a ring of another size than a power of two is refused", () =>
  withVgpu(async ({ driver }) => {
    for (const wrong of [0, 3, 2048]) {
      await driver.user.device.call("RESET", {});
      await driver.write(VgpuRegister.commandSlots, wrong);
      await driver.write(VgpuRegister.control, 1);
      assert.equal(await driver.register(VgpuRegister.control), 0);
      assert.notEqual((await driver.register(VgpuRegister.status)) & VgpuStatus.failed, 0);
    }
  }, Array<string>(3).fill("vfio.vgpu-failed")));

test("notices come one after the other; those without room are lost, and that is told", () =>
  withVgpu(async ({ driver, backend }) => {
    const notice = (i: number): VgpuNotice => ({ type: i, process: 2 * i, body: Buffer.from(`notice ${i}`) });
    const lost = async (): Promise<boolean> =>
      ((await driver.register(VgpuRegister.status)) & VgpuStatus.noticesLost) !== 0;
    for (let i = 0; i < 3 * slots; i++) {
      backend.notify(notice(i));
      const { type, process, body } = await driver.notice();
      assert.deepEqual([type, process, body.toString()], [i, 2 * i, `notice ${i}`]);
    }
    assert.equal(await lost(), false);
    for (let i = 0; i <= slots; i++) backend.notify(notice(i));
    assert.equal(await lost(), true);
    for (let i = 0; i < slots; i++) assert.equal((await driver.notice()).type, i);
    backend.notify({ type: 1, process: 0, body: new Uint8Array(8192) });
    backend.notify(notice(9));
    assert.equal((await driver.notice()).type, 9);
  }));

test("a reset ends the session: what is under way is not written any more", () =>
  withVgpu(async ({ driver, backend, runtime }) => {
    const late = new Completion<VgpuReply>(runtime, "late");
    backend.answer = () => late.wait();
    const slot = driver.place(1, Buffer.alloc(4));
    await driver.ring();
    while (backend.served.length === 0) await new Promise(setImmediate);
    await driver.user.device.call("RESET", {});
    assert.equal(backend.sessions, 1);
    late.completeAll({ status: 0, body: Buffer.from("too late") });
    for (let turns = 0; turns < 20; turns++) await new Promise(setImmediate);
    assert.equal(driver.isDone(slot), false);
    backend.answer = ({ body }) => ({ status: 0, body });
    await driver.begin();
    assert.equal((await driver.command(1, Buffer.from("again"))).body.toString(), "again");
  }));

test("when the device goes, its user's session ends and its memory is left alone", () =>
  withVgpu(
    async ({ driver, backend, runtime, vfio, vdev }) => {
      const late = new Completion<VgpuReply>(runtime, "late");
      backend.answer = () => late.wait();
      const slot = driver.place(1, Buffer.alloc(4));
      await driver.ring();
      while (backend.served.length === 0) await new Promise(setImmediate);
      await vfio.unregister(vdev);
      vdev.put();
      assert.equal(backend.sessions, 0);
      late.completeAll({ status: 0, body: new Uint8Array(4) });
      for (let turns = 0; turns < 20; turns++) await new Promise(setImmediate);
      assert.equal(driver.isDone(slot), false);
      await assert.rejects(driver.ring(2), (error) => isKernelError(error, "ENODEV"));
    },
    ["vfio.revoked"],
  ));

test("registers take whole words; the MSI-X table keeps what is written, and shows what nobody heard", () =>
  withVgpu(async ({ driver, driver: { user } }) => {
    const bar = PciRegion.BAR0;
    assert.equal(await user.read(bar, VgpuPage.msixTable + 12, 4), 1);
    await user.write(bar, VgpuPage.msixTable, 0xfee0_1000, 4);
    await user.write(bar, VgpuPage.msixTable + 12, 0xfffe, 4);
    assert.deepEqual(
      [await user.read(bar, VgpuPage.msixTable, 4), await user.read(bar, VgpuPage.msixTable + 12, 4)],
      [0xfee0_1000, 0],
    );
    await user.write(bar, VgpuRegister.magic, 0, 4);
    assert.equal(await driver.register(VgpuRegister.magic), VGPU_MAGIC);
    for (const [offset, length] of [
      [1, 4],
      [0, 2],
      [VGPU_BAR_BYTES - 4, 6],
    ] as const)
      await assert.rejects(user.write(bar, offset, 0, length), (error) => isKernelError(error, "EINVAL"));
    const flags = 1 | 0x20;
    await user.device.call("SET_IRQS", { argsz: 20, flags, index: 2, start: 0, count: 0 });
    const slot = driver.place(1, Buffer.alloc(0));
    await driver.ring();
    for (let left = 1000; !driver.isDone(slot) && left > 0; left--) await new Promise(setImmediate);
    assert.equal(await user.read(bar, VgpuPage.msixPending), 1 << VgpuVector.answered);
  }));

test("a queue's bytes go round the driver's rings to the engine and back, all and in order", () =>
  withVgpu(async ({ driver, backend }) => {
    const queue = await driver.attach(3);
    const [engine] = backend.queues;
    assert.ok(engine);
    engine.pipe(engine);
    const data = Buffer.from(Uint8Array.from({ length: 50_000 }, (_, i) => (i * 7) % 251));
    const back: Buffer[] = [];
    let put = 0;
    for (let got = 0; got < data.length; ) {
      put += await queue.put(data.subarray(put, put + 3000));
      const bytes = await queue.take();
      got += bytes.length;
      back.push(bytes);
      if (bytes.length === 0) await driver.moved.wait();
    }
    assert.deepEqual(Buffer.concat(back), data);
    assert.equal(await queue.state(), QueueState.open);
    engine.end();
    while ((await queue.state()) !== QueueState.ended) await driver.moved.wait();
    await driver.detach(3);
    assert.equal(await queue.state(), 0);
  }));

test("an engine that says more than the ring holds waits for the driver to take it", () =>
  withVgpu(async ({ driver, backend }) => {
    const queue = await driver.attach(0);
    const [engine] = backend.queues;
    const data = Buffer.from(Uint8Array.from({ length: 20_000 }, (_, i) => i % 253));
    engine?.write(data);
    for (let left = 1000; (await queue.waiting()) < queueBytes && left > 0; left--)
      await new Promise(setImmediate);
    assert.equal(await queue.waiting(), queueBytes);
    const back: Buffer[] = [];
    while (Buffer.concat(back).length < data.length) {
      const bytes = await queue.take();
      back.push(bytes);
      if (bytes.length === 0) await driver.moved.wait();
    }
    assert.deepEqual(Buffer.concat(back), data);
  }));

test("queues that can't be are refused, and one whose counts can't be fails the function", () =>
  withVgpu(
    async ({ driver, backend }) => {
      await driver.attach(1);
      await assert.rejects(driver.attach(1), /taken/);
      await assert.rejects(driver.attach(MOST_QUEUES), /not below/);
      await assert.rejects(driver.attach(2, 5000), /power of two/);
      await assert.rejects(driver.detach(2), /no such queue/);
      assert.ok((await driver.command(9, Buffer.alloc(0), { channel: 2 })).status < 0);
      assert.ok((await driver.command(1, Buffer.alloc(5), { channel: 2 })).status < 0);
      assert.ok((await driver.command(1, Buffer.alloc(0), { channel: 7 })).status < 0);
      const [engine] = backend.queues;
      assert.equal(engine?.destroyed, false);
      await driver.write(VgpuPage.queues + 1 * QueueRegister.bytes + QueueRegister.sent, queueBytes + 1);
      assert.notEqual((await driver.register(VgpuRegister.status)) & VgpuStatus.failed, 0);
    },
    ["vfio.vgpu-failed"],
  ));

test("a driver that takes back what it said to have put fails the function, and nothing it did not put is sent", () =>
  withVgpu(
    async ({ driver, backend }) => {
      const queue = await driver.attach(1);
      const [engine] = backend.queues;
      assert.ok(engine);
      let heard = 0;
      engine.on("data", ({ length }: Buffer) => {
        heard += length;
      });
      const sent = VgpuPage.queues + 1 * QueueRegister.bytes + QueueRegister.sent;
      await driver.write(sent, 1000);
      await driver.write(sent, 10);
      while ((await queue.state()) === QueueState.open) await driver.moved.wait();
      assert.notEqual((await driver.register(VgpuRegister.status)) & VgpuStatus.failed, 0);
      assert.ok(heard <= 1000, `${heard} bytes`);
    },
    ["vfio.vgpu-failed"],
  ));

test("whoever closes the device ends its queues", () =>
  withVgpu(async ({ driver, backend }) => {
    await driver.attach(1);
    await driver.user.device.call("RESET", {});
    assert.equal(backend.ends[0]?.destroyed, true);
    assert.equal(await driver.register(VgpuPage.queues + 1 * QueueRegister.bytes + QueueRegister.state), 0);
  }));
