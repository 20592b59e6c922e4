/** Who comes, who goes, and what of them stays: clients, the device, the server. */
import assert from "node:assert/strict";
import { existsSync, lstatSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, test } from "node:test";
import koffi from "koffi";
import { noDeadline } from "parhelion-core";
import { AttachedDevice } from "../iommufd/attached-device.js";
import { Client, closeFd, createEventfd, signalled, struct } from "./client.test.fixture.js";
import { Action, stage } from "./machine.test.fixture.js";
import { VfioUserServer } from "./server/server.js";
import type { KoffiModule } from "./socket/libc.js";

const withDescriptors = { koffi: koffi as unknown as KoffiModule };
const ENODEV = 19;
const EBUSY = 16;
const EINVAL = 22;

const access = (region: number, offset: number, count: number): Buffer =>
  struct(["u64", offset], ["u32", region], ["u32", count]);
const writeBody = (region: number, offset: number, data: Uint8Array): Buffer =>
  Buffer.concat([access(region, offset, data.length), data]);
const act = (action: number): Buffer => writeBody(1, 0, struct(["u32", action]));
const reset = Buffer.alloc(0);

for (const [how, options] of [
  ["with descriptors", withDescriptors],
  ["without descriptors", {}],
] as const) {
  describe(`a client ${how}`, () => {
    test("that hangs up closes the device, whose state the next one finds", async () => {
      const staged = await stage(options);
      const first = await Client.greet(staged.server.socketPath);
      await first.must(10, writeBody(0, 0, Buffer.from("stays")));
      await first.hangUp();
      const second = await Client.greet(staged.server.socketPath);
      assert.equal((await second.must(9, access(0, 0, 5))).subarray(16).toString(), "stays");
      assert.deepEqual(staged.machine.trace, ["open", "close", "open"]);
      await second.hangUp();
      await staged.end();
      assert.deepEqual(staged.machine.trace, ["open", "close", "open", "close"]);
    });

    test("too many is told that the device is busy, and disturbs nobody", async () => {
      const staged = await stage(options);
      const first = await Client.greet(staged.server.socketPath);
      const others = await Promise.all([1, 2, 3].map(() => Client.connect(staged.server.socketPath)));
      for (const other of others) {
        assert.equal(await other.errno(1, struct(["u16", 0], ["u16", 1])), EBUSY);
        await other.gone();
      }
      await first.must(13, reset);
      assert.equal(staged.server.clients, 1);
      await first.hangUp();
      await (await Client.greet(staged.server.socketPath)).hangUp();
      await staged.end();
    });

    test("that dies in the middle of a command leaves nothing, and its access to its memory fails", async () => {
      const staged = await stage(options);
      const client = await Client.greet(staged.server.socketPath);
      await client.must(2, struct(["u32", 32], ["u32", 3], ["u64", 0], ["u64", 0], ["u64", 4096]));
      client.manners = "silent";
      await client.must(10, writeBody(1, 4, struct(["u32", 4096], ["u64", 0])));
      void client.call(10, act(Action.DMA_READ));
      await client.toBeAsked();
      await client.hangUp();
      await (await Client.greet(staged.server.socketPath)).hangUp();
      await staged.end();
    });

    test("gets the answers to all that it sent, in the order in which it sent it, however much at once", async () => {
      const staged = await stage(options);
      const client = await Client.greet(staged.server.socketPath);
      const count = 2000;
      const replies: Promise<Buffer>[] = [];
      for (let i = 0; i < count; i++) {
        const word = struct(["u32", i]);
        replies.push(client.must(10, writeBody(0, 0, word)), client.must(9, access(0, 0, 4)));
      }
      const bodies = await Promise.all(replies);
      for (let i = 0; i < count; i++) assert.equal(bodies[2 * i + 1]?.readUInt32LE(16), i);
      await client.hangUp();
      await staged.end();
    });

    test("that does not read its answers is cut off", async () => {
      const staged = await stage({ ...options, patience: { drainMs: 20 } });
      const client = await Client.greet(staged.server.socketPath);
      client.pause();
      for (let i = 0; i < 200; i++) void client.call(9, access(0, 0, 65536));
      await staged.next("vfio-user.client-gone");
      assert.deepEqual(staged.machine.trace, ["open", "close"]);
      await client.hangUp();
      await staged.end();
    });

    test("hears ENODEV when the device is taken away, and the server ends", async () => {
      const staged = await stage(options);
      const client = await Client.greet(staged.server.socketPath);
      const waiting = client.call(10, act(Action.WAIT));
      await staged.machine.waiting.wait();
      const ended = staged.server.ended({ deadline: noDeadline });
      const gone = staged.rig.gone(staged.device);
      assert.equal((await waiting).errno, ENODEV);
      staged.machine.go.completeAll();
      await client.gone();
      await gone;
      assert.match(await ended, /vfio0 was removed/);
      assert.equal(existsSync(staged.server.socketPath), false);
      await staged.afterwards();
    });
  });
}

test("a device that somebody else has open is busy", async () => {
  const staged = await stage();
  const user = await AttachedDevice.open(staged.rig.system, "vfio0");
  const client = await Client.connect(staged.server.socketPath);
  assert.equal(await client.errno(1, struct(["u16", 0], ["u16", 1])), EINVAL);
  await client.gone();
  await user.close();
  await (await Client.greet(staged.server.socketPath)).hangUp();
  await staged.end();
});

test("interrupts of a client that is gone are nobody's", async () => {
  const staged = await stage(withDescriptors);
  const eventfd = createEventfd();
  const client = await Client.greet(staged.server.socketPath);
  await client.must(8, struct(["u32", 20], ["u32", 0x24], ["u32", 2], ["u32", 0], ["u32", 1]), [eventfd]);
  assert.equal(staged.device.irqs.trigger(2), true);
  assert.equal(signalled(eventfd), 1n);
  await client.hangUp();
  const next = await Client.greet(staged.server.socketPath);
  assert.equal(staged.device.irqs.trigger(2), false);
  assert.equal(signalled(eventfd), 0n);
  await next.hangUp();
  closeFd(eventfd);
  await staged.end();
});

describe("a server", () => {
  test("that is closed sends its client away and leaves no file, thread or descriptor", async () => {
    const before = readdirSync("/proc/self/fd").length;
    const staged = await stage(withDescriptors);
    const client = await Client.greet(staged.server.socketPath);
    await Promise.all([staged.server.close(), staged.server.close()]);
    await client.gone();
    assert.deepEqual(readdirSync(staged.directory), []);
    assert.match(await staged.server.ended(), /closed/);
    await staged.end();
    assert.equal(readdirSync("/proc/self/fd").length, before);
  });

  test("takes over a path that nobody listens at, and no other", async () => {
    const staged = await stage();
    const { system } = staged.rig;
    const options = { device: "vfio0", socketPath: join(staged.directory, "other") };
    const listen = (socketPath = options.socketPath) =>
      VfioUserServer.listen(system, { ...options, socketPath });
    await assert.rejects(listen(staged.server.socketPath), { code: "EBUSY" });
    writeFileSync(options.socketPath, "a file");
    await assert.rejects(listen(), { code: "EBUSY" });
    await assert.rejects(listen(join(staged.directory, "a".repeat(200))), { code: "ENAMETOOLONG" });
    await assert.rejects(VfioUserServer.listen(system, { ...options, device: "vfio9" }), { code: "ENODEV" });
    const left = join(staged.directory, "left");
    await leaveSocket(left);
    const server = await listen(left);
    assert.equal(lstatSync(left).mode & 0o777, 0o600);
    await (await Client.greet(left)).hangUp();
    await server.close();
    await staged.end();
  });
});

/** A socket's file whose server is gone. */
async function leaveSocket(path: string): Promise<void> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(`${path}-`, resolve));
  renameSync(`${path}-`, path);
  await new Promise<void>((resolve) => server.close(() => resolve()));
}
