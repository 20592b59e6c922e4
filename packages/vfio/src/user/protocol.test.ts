/** The whole protocol, command by command, by a client that shares no code with the server. */
import assert from "node:assert/strict";
import { readSync, writeSync } from "node:fs";
import { describe, test } from "node:test";
import {
  Client,
  closeFd,
  createEventfd,
  createMemory,
  type Field,
  signalled,
  struct,
  versionBody,
} from "./client.test.fixture.js";
import { Action, stage } from "./machine.test.fixture.js";
import {
  access,
  act,
  irqsBody,
  mapBody,
  unmapBody,
  withClient,
  withDescriptors,
  writeBody,
} from "./questions.test.fixture.js";

const EINVAL = 22;
const EOPNOTSUPP = 95;

describe("the version", () => {
  const everything = {
    max_msg_fds: 8,
    max_data_xfer_size: 1048576,
    max_dma_maps: 65535,
    pgsizes: 4096,
    migration: { pgsize: 4096 },
    write_multiple: true,
    twin_socket: { supported: false },
  };

  test("is the lesser one, with the server's capabilities", async () => {
    const staged = await stage(withDescriptors);
    for (const [proposed, agreed] of [
      [0, 0],
      [1, 1],
      [2, 2],
      [7, 2],
    ]) {
      const client = await Client.connect(staged.server.socketPath);
      const named = { ...everything, max_msg_fds: 16, max_dma_maps: 5, unheard_of: {} };
      const { errno, body } = await client.call(1, versionBody(named, 0, proposed));
      assert.equal(errno, 0);
      assert.equal(body.readUInt16LE(0), 0);
      assert.equal(body.readUInt16LE(2), agreed);
      assert.equal(body.at(-1), 0);
      assert.deepEqual(JSON.parse(body.subarray(4, -1).toString()), { capabilities: everything });
      await client.hangUp();
    }
    await staged.end();
  });

  test("names no capability that the client has not named, and so is no longer than what it answers", async () => {
    const staged = await stage();
    for (const [proposed, answer] of [
      [null, ""],
      [{}, '{"capabilities":{}}\0'],
      [{ max_msg_fds: 1 }, '{"capabilities":{"max_msg_fds":0}}\0'],
      [{ write_multiple: false, other: 3 }, '{"capabilities":{"write_multiple":false}}\0'],
    ] as const) {
      const client = await Client.connect(staged.server.socketPath);
      const { body } = await client.call(1, versionBody(proposed));
      assert.equal(body.subarray(4).toString(), answer);
      assert.ok(body.length <= versionBody(proposed).length);
      await client.hangUp();
    }
    await staged.end();
  });
});

describe("the device", () => {
  test("tells of itself, its regions and its interrupts", () =>
    withClient(withDescriptors, async (client) => {
      const info = await client.must(4, struct(["u32", 16], ["u32", 0], ["u32", 0], ["u32", 0]));
      assert.deepEqual(info, struct(["u32", 16], ["u32", 1], ["u32", 4], ["u32", 3]));
      const question = (argsz: number, index: number): Buffer =>
        struct(["u32", argsz], ["u32", 0], ["u32", index], ["u32", 0], ["u64", 0], ["u64", 0]);
      // Its type is told in a capability; that some of it can be mapped is not, because it can't from here.
      const head: readonly Field[] = [
        ["u32", 48],
        ["u32", 1 | 2 | 8],
        ["u32", 0],
      ];
      const short = await client.must(5, question(32, 0));
      assert.deepEqual(short, struct(...head, ["u32", 0], ["u64", 65536], ["u64", 0]));
      const long = await client.must(5, question(48, 0));
      const capability = struct(["u16", 2], ["u16", 1], ["u32", 0], ["u32", 5], ["u32", 6]);
      assert.deepEqual(long, struct(...head, ["u32", 32], ["u64", 65536], ["u64", 0], capability));
      const none = await client.must(5, question(32, 2));
      assert.deepEqual(none, struct(["u32", 32], ["u32", 0], ["u32", 2], ["u32", 0], ["u64", 0], ["u64", 0]));
      assert.equal(await client.errno(5, question(32, 4)), EINVAL);
      const irq = (index: number): Buffer => struct(["u32", 16], ["u32", 0], ["u32", index], ["u32", 0]);
      assert.deepEqual(
        await client.must(7, irq(0)),
        struct(["u32", 16], ["u32", 1 | 2 | 4], ["u32", 0], ["u32", 1]),
      );
      assert.deepEqual(
        await client.must(7, irq(2)),
        struct(["u32", 16], ["u32", 1 | 8], ["u32", 2], ["u32", 8]),
      );
      assert.equal(await client.errno(7, irq(3)), EINVAL);
      const fds = struct(["u32", 16], ["u32", 0], ["u32", 0], ["u32", 0]);
      assert.deepEqual(await client.must(6, fds), fds);
    }));

  test("is read and written, in parts, whole, and several at once", () =>
    withClient({}, async (client, { machine }) => {
      const data = Buffer.from("a bright image of the sun");
      assert.deepEqual(await client.must(10, writeBody(0, 100, data)), access(0, 100, data.length));
      assert.deepEqual(await client.must(9, access(0, 100, data.length)), writeBody(0, 100, data));
      const large = Buffer.alloc(65536, 0x5a);
      await client.must(10, writeBody(0, 0, large));
      assert.deepEqual(await client.must(9, access(0, 0, 65536)), writeBody(0, 0, large));
      assert.deepEqual(await client.must(9, access(0, 65536, 0)), access(0, 65536, 0));
      const one = (region: number, offset: number, count: number, text: string): Buffer =>
        Buffer.concat([access(region, offset, count), Buffer.from(text.padEnd(8, "."))]);
      const many = [one(0, 0, 4, "abcd"), one(0, 4, 8, "efghijkl"), one(0, 12, 1, "m")];
      assert.deepEqual(await client.must(15, struct(["u64", 3], ...many)), struct(["u64", 3]));
      assert.equal(Buffer.from(machine.memory.subarray(0, 14)).toString(), "abcdefghijklmZ");
      // The first one that fails ends it, and what was done is told.
      const wrong = [one(0, 0, 4, "ABCD"), one(3, 0, 4, "no"), one(0, 4, 4, "EFGH")];
      assert.deepEqual(await client.must(15, struct(["u64", 3], ...wrong)), struct(["u64", 1]));
      assert.equal(Buffer.from(machine.memory.subarray(0, 8)).toString(), "ABCDefgh");
      assert.equal(await client.errno(15, struct(["u64", 1], one(3, 0, 4, "no"))), EINVAL);
      assert.deepEqual(await client.must(15, struct(["u64", 0])), struct(["u64", 0]));
    }));

  test("is reset, after it was asked to be quiet", () =>
    withClient({}, async (client, { machine }) => {
      machine.memory[7] = 7;
      assert.equal((await client.must(13, Buffer.alloc(0))).length, 0);
      assert.equal(machine.memory[7], 0);
      assert.deepEqual(machine.quiesced, ["DEVICE_RESET"]);
    }));
});

describe("the client's memory", () => {
  test("is reached through its descriptor, from the offset on, until it is taken back", () =>
    withClient(withDescriptors, async (client, { machine }) => {
      const memory = createMemory(4 * 4096);
      writeSync(memory, Buffer.from("from the client"), 0, 15, 4096 + 16);
      await client.must(2, mapBody(0x10000n, 8192, 4096), [memory]);
      assert.equal(await act(client, Action.DMA_READ, 0x10010n, 15), 0);
      assert.equal(Buffer.from(machine.memory.subarray(0, 15)).toString(), "from the client");
      machine.memory.set(Buffer.from("from the device"));
      assert.equal(await act(client, Action.DMA_WRITE, 0x11000n, 15), 0);
      const bytes = Buffer.alloc(15);
      readSync(memory, bytes, 0, 15, 8192);
      assert.equal(bytes.toString(), "from the device");
      assert.deepEqual(client.asked, []);
      assert.deepEqual(await client.must(3, unmapBody(0x10000n, 8192)), unmapBody(0x10000n, 8192));
      assert.notEqual(await act(client, Action.DMA_READ, 0x10010n, 15), 0);
      assert.deepEqual(machine.quiesced, ["DMA_UNMAP"]);
      closeFd(memory);
    }));

  test("is asked for where there is no descriptor, in pieces that the client takes", async () => {
    const staged = await stage();
    const client = await Client.greet(staged.server.socketPath, { max_data_xfer_size: 1000 });
    const lent = { iova: 0x8000n, bytes: Buffer.alloc(4096, "memory ") };
    client.lent = [lent];
    await client.must(2, mapBody(lent.iova, 4096));
    assert.equal(await act(client, Action.DMA_READ, 0x8001n, 2500), 0);
    assert.deepEqual(Buffer.from(staged.machine.memory.subarray(0, 2500)), lent.bytes.subarray(1, 2501));
    staged.machine.memory.fill(9);
    assert.equal(await act(client, Action.DMA_WRITE, 0x8000n, 1001), 0);
    assert.deepEqual(
      lent.bytes.subarray(0, 1002),
      Buffer.concat([Buffer.alloc(1001, 9), Buffer.from("m")]).fill(lent.bytes[1001] as number, 1001),
    );
    assert.deepEqual(client.asked, [
      [11, 0x8001n, 1000],
      [11, 0x8001n + 1000n, 1000],
      [11, 0x8001n + 2000n, 500],
      [12, 0x8000n, 1000],
      [12, 0x8000n + 1000n, 1],
    ]);
    await client.hangUp();
    await staged.end();
  });

  test("can be asked for although there is a descriptor", () =>
    withClient(
      { ...withDescriptors, memory: ({ iova }) => (iova === 0n ? "message" : "descriptor") },
      async (client, { machine }) => {
        const memory = createMemory(8192);
        writeSync(memory, Buffer.from("file"), 0, 4, 4096);
        client.lent = [{ iova: 0n, bytes: Buffer.alloc(4096, "asked") }];
        await client.must(2, mapBody(0n, 4096), [memory]);
        await client.must(2, mapBody(4096n, 4096, 4096), [memory]);
        await act(client, Action.DMA_READ, 0n, 5);
        assert.equal(Buffer.from(machine.memory.subarray(0, 5)).toString(), "asked");
        await act(client, Action.DMA_READ, 4096n, 4);
        assert.equal(Buffer.from(machine.memory.subarray(0, 4)).toString(), "file");
        assert.equal(client.asked.length, 1);
        closeFd(memory);
      },
    ));

  test("is lent as the kernel's rules have it", () =>
    withClient({}, async (client) => {
      await client.must(2, mapBody(0x1000n, 4096, 0, 1));
      assert.equal(await client.errno(2, mapBody(0x1000n, 4096)), 17);
      assert.equal(await client.errno(2, mapBody(0x2001n, 4096)), EINVAL);
      assert.equal(await client.errno(2, mapBody(0x3000n, 0)), EINVAL);
      assert.equal(await client.errno(2, mapBody(0x3000n, 4096, 0, 0)), EINVAL);
      await client.must(2, mapBody(0x2000n, 8192));
      assert.equal(await client.errno(3, unmapBody(0x2000n, 4096)), EINVAL);
      // As the kernel: whoever follows an IOMMU unmaps all that could be there.
      assert.deepEqual(await client.must(3, unmapBody(0x9000n, 4096)), unmapBody(0x9000n, 0));
      assert.deepEqual(
        await client.must(3, unmapBody(0x8000_0000n, 0x4000_0000)),
        unmapBody(0x8000_0000n, 0),
      );
      assert.deepEqual(await client.must(3, unmapBody(0x1000n, 0x3000)), unmapBody(0x1000n, 0x3000));
      await client.must(2, mapBody(0x1000n, 4096));
      assert.equal(await client.errno(3, unmapBody(1n, 0, 2)), EINVAL);
      assert.deepEqual(await client.must(3, unmapBody(0n, 0, 2)), unmapBody(0n, 4096, 2));
      assert.deepEqual(await client.must(3, unmapBody(0n, 0, 2)), unmapBody(0n, 0, 2));
      // For reading only.
      await client.must(2, mapBody(0x1000n, 4096, 0, 1));
      assert.equal(await act(client, Action.DMA_WRITE, 0x1000n, 4), 1);
    }));

  test("that the client refuses makes the access fail, and nothing else", () =>
    withClient({}, async (client) => {
      await client.must(2, mapBody(0n, 4096));
      client.manners = "errors";
      assert.equal(await act(client, Action.DMA_READ, 0n, 4), 14);
      client.manners = "helpful";
      client.lent = [{ iova: 0n, bytes: Buffer.alloc(4096) }];
      assert.equal(await act(client, Action.DMA_READ, 0n, 4), 0);
    }));

  test("that the client does not give is waited for no longer than it is patient", () =>
    withClient({ patience: { dmaMs: 20 } }, async (client) => {
      await client.must(2, mapBody(0n, 4096));
      client.manners = "silent";
      assert.equal(await act(client, Action.DMA_READ, 0n, 4), 110);
      assert.equal(await act(client, Action.DMA_WRITE, 0n, 4), 110);
    }));
});

describe("interrupts", () => {
  const eventfd = 4 | 0x20;

  test("are signalled through the client's descriptors until they are taken back", () =>
    withClient(withDescriptors, async (client) => {
      const [first, second] = [createEventfd(), createEventfd()];
      await client.must(8, irqsBody(eventfd, 2, 3, 2), [first, second]);
      await act(client, Action.TRIGGER, 0n, 0, 2, 3);
      assert.deepEqual([signalled(first), signalled(second)], [1n, 0n]);
      await act(client, Action.TRIGGER, 0n, 0, 2, 4);
      await act(client, Action.TRIGGER, 0n, 0, 2, 4);
      assert.deepEqual([signalled(first), signalled(second)], [0n, 2n]);
      // No descriptors: taken back.
      await client.must(8, irqsBody(eventfd, 2, 3, 1));
      await act(client, Action.TRIGGER, 0n, 0, 2, 3);
      assert.equal(signalled(first), 0n);
      await client.must(8, irqsBody(1 | 0x20, 2, 0, 0));
      await act(client, Action.TRIGGER, 0n, 0, 2, 4);
      assert.equal(signalled(second), 0n);
      closeFd(first);
      closeFd(second);
    }));

  test("are masked and unmasked, one by one or by flags", () =>
    withClient(withDescriptors, async (client) => {
      const line = createEventfd();
      await client.must(8, irqsBody(eventfd, 0, 0, 1), [line]);
      // Each trigger masks it.
      await act(client, Action.TRIGGER);
      await act(client, Action.TRIGGER);
      assert.equal(signalled(line), 1n);
      await client.must(8, irqsBody(1 | 0x10, 0, 0, 1));
      assert.equal(signalled(line), 1n);
      await client.must(8, irqsBody(2 | 0x10, 0, 0, 1, Buffer.of(0)));
      await act(client, Action.TRIGGER);
      assert.equal(signalled(line), 0n);
      await client.must(8, irqsBody(2 | 0x10, 0, 0, 1, Buffer.of(1)));
      assert.equal(signalled(line), 1n);
      // The client fires it by hand.
      await client.must(8, irqsBody(1 | 0x10, 0, 0, 1));
      await client.must(8, irqsBody(1 | 0x20, 0, 0, 1));
      assert.equal(signalled(line), 1n);
      closeFd(line);
    }));

  test("are masked and unmasked by descriptors that the client signals, until it takes them back", () =>
    withClient(withDescriptors, async (client) => {
      const [line, unmask, mask] = [createEventfd(), createEventfd(), createEventfd()];
      const ring = (fd: number): number => writeSync(fd, struct(["u64", 1]));
      const toLine = async (): Promise<void> => {
        while (signalled(line) === 0n) await new Promise((resolve) => setImmediate(resolve));
      };
      await client.must(8, irqsBody(eventfd, 0, 0, 1), [line]);
      await client.must(8, irqsBody(4 | 0x10, 0, 0, 1), [unmask]);
      await client.must(8, irqsBody(4 | 0x08, 0, 0, 1), [mask]);
      for (let i = 0; i < 3; i++) {
        // It masks itself; when it is unmasked, what came meanwhile is told, and masks it again.
        await act(client, Action.TRIGGER);
        await act(client, Action.TRIGGER);
        assert.equal(signalled(line), 1n);
        ring(unmask);
        await toLine();
        await client.must(8, irqsBody(1 | 0x10, 0, 0, 1));
      }
      assert.equal(await client.errno(8, irqsBody(4 | 0x10, 0, 0, 1), [line]), 16, "there is one already");
      const memory = createMemory(4096);
      assert.equal(await client.errno(8, irqsBody(4 | 0x10, 0, 0, 1), [memory]), EINVAL);
      assert.equal(await client.errno(8, irqsBody(4 | 0x10, 2, 0, 1), [line]), EINVAL, "it can't be masked");
      await client.must(8, irqsBody(4 | 0x10, 0, 0, 1));
      ring(unmask);
      await client.must(13, Buffer.alloc(0));
      assert.equal(signalled(unmask), 1n, "nobody takes it any more");
      for (const fd of [line, unmask, mask, memory]) closeFd(fd);
    }));

  test("can't be had where descriptors can't be taken, and that is said", () =>
    withClient({}, async (client) => {
      assert.equal(await client.errno(8, irqsBody(eventfd, 0, 0, 1)), EOPNOTSUPP);
      const info = await client.must(7, struct(["u32", 16], ["u32", 0], ["u32", 0], ["u32", 0]));
      assert.equal(info.readUInt32LE(4) & 1, 0);
    }));
});
