/** Clients that send on and on without waiting for answers: what they are owed comes all the same, and no more is kept than is said. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { connect } from "node:net";
import { describe, test } from "node:test";
import {
  Client,
  closeFd,
  createEventfd,
  createMemory,
  message,
  struct,
  versionBody,
  withoutDescriptors,
} from "./client.test.fixture.js";
import { Action, stage } from "./machine.test.fixture.js";
import {
  access,
  irqsBody,
  mapBody,
  withClient,
  withDescriptors,
  writeBody,
} from "./questions.test.fixture.js";

const EFAULT = 14;
const EMFILE = 24;
const ENOBUFS = 105;
const eventfds = 4 | 0x20;
const reset = Buffer.alloc(0);
const act = (action: number): Buffer => writeBody(1, 0, struct(["u32", action]));
const prepare = (client: Client): Promise<Buffer> =>
  client.must(10, writeBody(1, 4, struct(["u32", 64], ["u64", 0])));

for (const [how, options] of [
  ["with descriptors", withDescriptors],
  ["without descriptors", {}],
] as const) {
  describe(`a client ${how}`, () => {
    for (const [what, count, bytes] of [
      ["many commands", 3000, 4],
      ["many bytes", 12, 1024 * 1024],
    ] as const)
      test(`whose answer to the device stands behind ${what} of its own is heard`, () =>
        withClient({ ...options, memory: () => "message" }, async (client, { machine }) => {
          client.lent = [{ iova: 0n, bytes: Buffer.alloc(4096, "lent") }];
          await client.must(2, mapBody(0n, 4096));
          await prepare(client);
          const first = client.call(10, act(Action.DMA_READ));
          const others = Array.from({ length: count }, () =>
            client.call(10, writeBody(0, 0, Buffer.alloc(bytes))),
          );
          assert.equal((await first).errno, 0);
          // Small ones are done, large ones do not fit: each is answered.
          for (const other of await Promise.all(others)) assert.equal(other.errno, bytes === 4 ? 0 : 22);
          assert.equal(Buffer.from(machine.memory.subarray(4, 8)).toString(), "lent");
        }));

    test("that sends what wants no answer and hangs up has all of it done", async () => {
      const staged = await stage(options);
      const socket = connect(staged.server.socketPath);
      const posted = Array.from({ length: 1000 }, (_, i) =>
        message(i, 10, 0x10, writeBody(0, 0, struct(["u32", i]))),
      );
      const waits = message(1001, 10, 0x10, act(Action.WAIT));
      socket.end(Buffer.concat([message(1, 1, 0, versionBody()), waits, ...posted]));
      socket.resume();
      await staged.machine.waiting.wait();
      // It has gone, and the device goes on with what it has left.
      const next = Client.greet(staged.server.socketPath);
      staged.machine.go.completeAll();
      assert.equal((await (await next).must(9, access(0, 0, 4))).readUInt32LE(16), 999);
      assert.deepEqual(staged.machine.trace, ["open", "close", "open"]);
      await (await next).hangUp();
      await staged.end();
    });

    test("that sends more than can be kept while the device waits for it hears so, and is cut off", async () => {
      const staged = await stage(options);
      const client = await Client.greet(staged.server.socketPath);
      await client.must(2, mapBody(0n, 4096));
      await prepare(client);
      client.manners = "silent";
      const pending = client.call(10, act(Action.DMA_READ));
      await client.toBeAsked();
      const told = new Promise<void>((resolve) => {
        for (let i = 0; i < 40; i++)
          void client.call(10, writeBody(0, 0, Buffer.alloc(1024 * 1024))).then(({ errno }) => {
            assert.equal(errno, ENOBUFS);
            resolve();
          });
      });
      await told;
      assert.notEqual((await pending).errno, 0);
      await client.gone();
      assert.deepEqual(staged.machine.trace, ["open", "close"]);
      await (await Client.greet(staged.server.socketPath)).hangUp();
      await staged.end();
    });
  });
}

describe("descriptors", () => {
  test("of commands that wait are bounded, and all of them arrive", () =>
    withClient(withDescriptors, async (client, { machine }) => {
      const eventfd = createEventfd();
      const before = readdirSync("/proc/self/fd").length;
      const waiting = client.call(10, act(Action.WAIT));
      await machine.waiting.wait();
      const sent = Array.from({ length: 60 }, () =>
        client.call(
          8,
          irqsBody(eventfds, 2, 0, 8),
          Array.from({ length: 8 }, () => eventfd),
        ),
      );
      // What the server has taken by now is what it holds.
      await new Promise((resolve) => setTimeout(resolve, 50));
      const held = readdirSync("/proc/self/fd").length - before;
      assert.ok(held <= 80, `${held} descriptors`);
      machine.go.completeAll();
      await waiting;
      for (const one of sent) assert.equal((await one).errno, 0);
      closeFd(eventfd);
    }));

  test("that the process has no room for make their command fail, and no other", () =>
    withClient(withDescriptors, async (client) => {
      const [memory, eventfd] = [createMemory(4096), createEventfd()];
      await client.must(13, reset);
      const before = readdirSync("/proc/self/fd").length;
      await withoutDescriptors(1, async () => {
        assert.equal(await client.errno(8, irqsBody(eventfds, 2, 0, 2), [eventfd, eventfd]), EMFILE);
      });
      await withoutDescriptors(0, async () => {
        assert.equal(await client.errno(2, mapBody(0n, 4096), [memory]), EMFILE);
        assert.equal(await client.errno(8, irqsBody(eventfds, 2, 0, 1), [eventfd]), EMFILE);
        client.raw(message(7, 11, 1, Buffer.alloc(16)), [eventfd]);
        await client.must(9, access(0, 0, 4));
      });
      assert.equal(readdirSync("/proc/self/fd").length, before);
      await client.must(2, mapBody(0n, 4096), [memory]);
      await prepare(client);
      assert.notEqual((await client.call(10, act(Action.DMA_READ))).errno, EFAULT);
      for (const fd of [memory, eventfd]) closeFd(fd);
    }));
});
