/** What no client should send: each gets the protocol's error reply, and whoever can be followed is served on. */
import assert from "node:assert/strict";
import { closeSync, openSync, readdirSync } from "node:fs";
import { describe, test } from "node:test";
import koffi from "koffi";
import {
  Client,
  closeFd,
  createEventfd,
  createFullEventfd,
  createMemory,
  message,
  struct,
  truncate,
  versionBody,
} from "./client.test.fixture.js";
import { Action, stage } from "./machine.test.fixture.js";
import type { KoffiModule } from "./socket/libc.js";

const withDescriptors = { koffi: koffi as unknown as KoffiModule };
const EIO = 5;
const EFAULT = 14;
const EINVAL = 22;
const EMSGSIZE = 90;
const EOPNOTSUPP = 95;
const ETIMEDOUT = 110;

const access = (region: number, offset: bigint, count: number): Buffer =>
  struct(["u64", offset], ["u32", region], ["u32", count]);
const act = (action: number): Buffer => Buffer.concat([access(1, 0n, 4), struct(["u32", action])]);

describe("before a version is agreed on", () => {
  for (const [what, command, body] of [
    ["another command", 4, struct(["u32", 16], ["u32", 0], ["u32", 0], ["u32", 0])],
    ["another major version", 1, versionBody({}, 1, 0)],
    ["a message too short", 1, Buffer.alloc(2)],
    ["capabilities without an end", 1, struct(["u16", 0], ["u16", 0], Buffer.from("{}"))],
    ["a client that takes hardly any data", 1, versionBody({ max_data_xfer_size: 3 })],
    ["an unknown command", 14, Buffer.alloc(0)],
  ] as const) {
    test(`${what} is refused, and the client sent away`, async () => {
      const staged = await stage();
      const client = await Client.connect(staged.server.socketPath);
      assert.equal(await client.errno(command, body), EINVAL);
      await client.gone();
      assert.deepEqual(staged.machine.trace, []);
      await (await Client.greet(staged.server.socketPath)).hangUp();
      await staged.end();
    });
  }

  test("a client that says nothing is sent away", async () => {
    const staged = await stage({ patience: { negotiateMs: 10 } });
    const client = await Client.connect(staged.server.socketPath);
    await client.gone();
    await staged.end();
  });
});

test("what is malformed is answered with EINVAL, and the client served on", async () => {
  const staged = await stage();
  const client = await Client.greet(staged.server.socketPath);
  for (const [command, body] of [
    [0, Buffer.alloc(0)],
    [14, Buffer.alloc(16)],
    [19, Buffer.alloc(16)],
    [1, versionBody()],
    [2, Buffer.alloc(31)],
    [3, Buffer.alloc(3)],
    [4, Buffer.alloc(0)],
    [5, Buffer.alloc(11)],
    [6, struct(["u32", 16], ["u32", 1], ["u32", 0], ["u32", 0])],
    [7, Buffer.alloc(4)],
    [8, struct(["u32", 20], ["u32", 0], ["u32", 0], ["u32", 0], ["u32", 0])],
    [9, access(0xdeadbeef, 0n, 4)],
    [9, access(0, 65535n, 2)],
    [9, access(0, 1n << 40n, 2)],
    [9, access(0, 2n ** 64n - 1n, 2)],
    [9, access(0, 0n, 1024 * 1024 + 1)],
    [10, access(0, 0n, 4)],
    [10, Buffer.concat([access(3, 0n, 4), Buffer.alloc(4)])],
    [15, Buffer.alloc(7)],
    [16, Buffer.alloc(7)],
    [16, struct(["u32", 8], ["u32", 0x3_0001])],
    [17, Buffer.alloc(7)],
    [18, struct(["u32", 8], ["u32", 100])],
  ] as const)
    assert.equal(await client.errno(command, body), EINVAL, `command ${command}: ${body.toString("hex")}`);
  for (const command of [11, 12]) assert.equal(await client.errno(command, Buffer.alloc(16)), EOPNOTSUPP);
  // Neither a command nor a reply.
  assert.equal((await client.send(7, 4, 2, Buffer.alloc(16))).errno, EINVAL);
  // An answer that nobody asked for.
  client.raw(message(3, 11, 1, Buffer.alloc(16)));
  await client.must(4, struct(["u32", 16], ["u32", 0], ["u32", 0], ["u32", 0]));
  await client.hangUp();
  await staged.end();
});

test("a size that can't be is answered, and the client sent away", async () => {
  const staged = await stage();
  for (const size of [0, 15, 2 * 1024 * 1024, 0xffff_ffff]) {
    const client = await Client.greet(staged.server.socketPath);
    const header = message(77, 9, 0, Buffer.alloc(0));
    header.writeUInt32LE(size, 4);
    const heard = client.expect(77);
    client.raw(header);
    assert.equal((await heard).errno, EMSGSIZE);
    await client.gone();
  }
  await staged.end();
});

test("no answer goes to who wants none, not even an error; what follows is answered after it is done", async () => {
  const staged = await stage();
  const client = await Client.greet(staged.server.socketPath);
  client.raw(message(900, 10, 0x10, Buffer.concat([access(0, 0n, 4), Buffer.from("done")])));
  client.raw(message(901, 9, 0x10, access(0, 2n ** 63n, 4)));
  const body = await client.must(9, access(0, 0n, 4));
  assert.equal(body.subarray(16).toString(), "done");
  assert.deepEqual(client.unexpected, []);
  await client.hangUp();
  await staged.end();
});

test("what a driver throws is the client's to hear, and a mistake in it is EIO", async () => {
  const staged = await stage();
  const client = await Client.greet(staged.server.socketPath);
  assert.equal(await client.errno(10, act(Action.FAIL)), EIO);
  assert.equal(await client.errno(10, act(Action.BREAK)), EIO);
  assert.equal(staged.log.filter(({ event }) => event === "vfio-user.command-failed").length, 1);
  await client.must(9, access(0, 0n, 4));
  await client.hangUp();
  await staged.end();
});

test("a command that the device does not end is answered all the same", async () => {
  const staged = await stage({ patience: { commandMs: 20 } });
  const client = await Client.greet(staged.server.socketPath);
  assert.equal(await client.errno(10, act(Action.WAIT)), ETIMEDOUT);
  staged.machine.go.completeAll();
  await client.hangUp();
  await staged.end();
});

describe("descriptors", () => {
  const map = (offset: number, size: number): Buffer =>
    struct(["u32", 32], ["u32", 3], ["u64", offset], ["u64", 0], ["u64", size]);
  const irqs = (count: number): Buffer =>
    struct(["u32", 20], ["u32", 0x24], ["u32", 2], ["u32", 0], ["u32", count]);

  test("that are not what they should be are refused, and none stays open", async () => {
    const staged = await stage(withDescriptors);
    const client = await Client.greet(staged.server.socketPath);
    await client.must(13, Buffer.alloc(0));
    const [memory, eventfd, nothing] = [createMemory(4096), createEventfd(), openSync("/dev/null", "r")];
    const before = readdirSync("/proc/self/fd").length;
    assert.equal(await client.errno(2, map(0, 8192), [memory]), EINVAL);
    assert.equal(await client.errno(2, map(4096, 4096), [memory]), EINVAL);
    assert.equal(await client.errno(2, map(0, 4096), [eventfd]), EINVAL);
    assert.equal(await client.errno(2, map(0, 4096), [nothing]), EINVAL);
    assert.equal(await client.errno(2, map(0, 4096), [memory, memory]), EINVAL);
    assert.equal(await client.errno(8, irqs(1), [memory]), EINVAL);
    assert.equal(await client.errno(8, irqs(2), [eventfd, nothing]), EINVAL);
    assert.equal(await client.errno(8, irqs(2), [eventfd]), EINVAL);
    assert.equal(
      await client.errno(8, struct(["u32", 20], ["u32", 0x24], ["u32", 9], ["u32", 0], ["u32", 1]), [
        eventfd,
      ]),
      EINVAL,
    );
    assert.equal(await client.errno(13, Buffer.alloc(0), [eventfd, memory]), EINVAL);
    assert.equal(await client.errno(1, versionBody(), [eventfd]), EINVAL);
    client.raw(message(5, 11, 1, Buffer.alloc(16)), [eventfd]);
    await client.must(13, Buffer.alloc(0));
    assert.equal(readdirSync("/proc/self/fd").length, before);
    const heard = client.expect(6);
    client.raw(
      message(6, 8, 0, irqs(9)),
      Array.from({ length: 9 }, () => eventfd),
    );
    assert.equal((await heard).errno, EINVAL);
    await client.hangUp();
    closeFd(memory);
    closeFd(eventfd);
    closeSync(nothing);
    await staged.end();
  });

  test("of memory that the client truncates make the device's access fail, and nothing worse", async () => {
    const staged = await stage(withDescriptors);
    const client = await Client.greet(staged.server.socketPath);
    const memory = createMemory(8192);
    await client.must(2, map(0, 8192), [memory]);
    truncate(memory, 4096);
    const to = (iova: number): Promise<unknown> =>
      client.must(10, Buffer.concat([access(1, 4n, 12), struct(["u32", 16], ["u64", iova])]));
    await to(4096 - 8);
    assert.equal(await client.errno(10, act(Action.DMA_READ)), EFAULT);
    await to(0);
    await client.must(10, act(Action.DMA_READ));
    truncate(memory, 0);
    assert.equal(await client.errno(10, act(Action.DMA_READ)), EFAULT);
    await client.hangUp();
    closeFd(memory);
    await staged.end();
  });

  test("that are full eventfds keep nobody waiting", { timeout: 60_000 }, async () => {
    const staged = await stage(withDescriptors);
    const client = await Client.greet(staged.server.socketPath);
    const full = createFullEventfd();
    await client.must(8, irqs(1), [full]);
    for (let i = 0; i < 100; i++) assert.equal(staged.device.irqs.trigger(2), true);
    await client.must(13, Buffer.alloc(0));
    await client.hangUp();
    closeFd(full);
    await staged.end();
  });

  test("of a client that goes are closed with its mappings, interrupts and unfinished messages", async () => {
    const staged = await stage(withDescriptors);
    const [memory, eventfd] = [createMemory(4096), createEventfd()];
    const before = readdirSync("/proc/self/fd").length;
    for (let round = 0; round < 3; round++) {
      const client = await Client.greet(staged.server.socketPath);
      await client.must(2, map(0, 4096), [memory]);
      await client.must(8, irqs(2), [eventfd, eventfd]);
      client.raw(message(9, 2, 0, map(0, 4096)).subarray(0, 20), [memory]);
      await client.hangUp();
      // The next one is served when everything of this one is gone.
      await (await Client.greet(staged.server.socketPath)).hangUp();
    }
    await staged.server.close();
    assert.equal(readdirSync("/proc/self/fd").length, before - 2);
    closeFd(memory);
    closeFd(eventfd);
    await staged.end();
  });
});
