/** Who goes, and what becomes of what was under way: on the way to the device, in the middle, and at the end. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { test } from "node:test";
import * as fc from "fast-check";
import { createRuntime, isKernelError } from "parhelion-core";
import { EventCounter } from "../../irq/eventfd.js";
import { IrqSetFlag } from "../../irq/irq.js";
import { message, struct, versionBody } from "../client.test.fixture.js";
import { Action, stage } from "../machine.test.fixture.js";
import { withDescriptors } from "../questions.test.fixture.js";
import { VfioUserDevice } from "./device.js";
import { type Asked, ScriptedServer } from "./scripted-server.test.fixture.js";

async function failure(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return "done";
  } catch (error) {
    assert.ok(isKernelError(error), String(error));
    return error.message;
  }
}

const info = { argsz: 16 };

test("nobody there, nobody who speaks the protocol, and somebody who is served already", async () => {
  const staged = await stage(withDescriptors);
  const { runtime } = staged.rig;
  const path = staged.server.socketPath;
  assert.match(
    await failure(VfioUserDevice.connect(runtime, `${path}-none`)),
    /^ENOENT: .*device\.sock-none: there is no such socket/,
  );
  writeFileSync(`${path}-file`, "");
  assert.match(
    await failure(VfioUserDevice.connect(runtime, `${path}-file`)),
    /^ECONNREFUSED: .*nobody listens/,
  );
  assert.match(
    await failure(VfioUserDevice.connect(runtime, "x".repeat(108))),
    /^ENAMETOOLONG: .* 108 bytes/,
  );
  const first = await VfioUserDevice.connect(runtime, path);
  assert.match(
    await failure(VfioUserDevice.connect(runtime, path)),
    /^EBUSY: .*device\.sock has a client already/,
  );
  await first.close();
  const second = await VfioUserDevice.connect(runtime, path);
  assert.equal(second.state, "open");
  await second.close();
  assert.equal(second.state, "closed");
  await second.close();
  assert.match(await failure(second.call("GET_INFO", info)), /^EBADF: .*device\.sock was closed/);
  await staged.end();
});

test("a server that says nothing is waited for no longer than was said, and one of another version is refused", async () => {
  const silent = await ScriptedServer.listen(() => undefined);
  assert.match(await failure(silent.connect({ connectMs: 20 })), /^ETIMEDOUT/);
  await silent.end();
  const strange = await ScriptedServer.listen(
    (asked, server) => void server.reply(asked, versionBody({}, 1, 0)),
  );
  assert.match(await failure(strange.connect()), /^EPROTO: .* speaks version 1\.0; up to 0\.2 is known here/);
  await strange.end();
  const rude = await ScriptedServer.listen((_, server) => void server.hangUp());
  assert.match(await failure(rude.connect()), /^ENODEV: .*the server hung up/);
  await rude.end();
});

test("answers may come in any order, and late", async () => {
  const waiting: Asked[] = [];
  const server = await ScriptedServer.listen((asked) => {
    if (asked.command !== 9) return "as usual";
    waiting.push(asked);
    return undefined;
  });
  const device = await server.connect();
  const read = (at: number, deadlineMs = 60_000) =>
    device.call(
      "READ",
      { offset: BigInt(at), length: 4 },
      { deadline: server.runtime.clock.now() + deadlineMs },
    );
  const late = read(1, 1);
  assert.match(await failure(late), /^ETIMEDOUT/);
  const reads = [2, 3, 4].map((at) => read(at));
  await server.heard(5);
  for (const asked of waiting.reverse())
    server.reply(asked, struct(asked.body.subarray(0, 12), ["u32", 4], asked.body.subarray(0, 4)));
  assert.deepEqual(
    (await Promise.all(reads)).map(([first]) => first),
    [2, 3, 4],
  );
  assert.equal(device.state, "open");
  await device.close();
  await server.end();
});

test("more commands than a server reads ahead wait, and all are answered", async () => {
  let waiting: Asked[] = [];
  let most = 0;
  const server = await ScriptedServer.listen((asked, self) => {
    if (asked.command !== 9) return "as usual";
    waiting.push(asked);
    most = Math.max(most, waiting.length);
    // Long enough for many more to come, if they did.
    if (waiting.length === 1)
      setTimeout(() => {
        for (const each of waiting)
          self.reply(each, struct(each.body.subarray(0, 12), ["u32", 4], each.body.subarray(0, 4)));
        waiting = [];
      }, 20);
    return undefined;
  });
  const device = await server.connect();
  const reads = Array.from({ length: 1000 }, (_, i) => device.call("READ", { offset: BigInt(i), length: 4 }));
  const got = (await Promise.all(reads)).map((bytes) => Buffer.from(bytes).readUInt32LE());
  assert.deepEqual(
    got,
    Array.from({ length: 1000 }, (_, i) => i),
  );
  assert.ok(most <= 256, `${most} at a time`);
  await device.close();
  await server.end();
});

test("a server that asks for memory and does not read is answered as it reads, and all of it", async () => {
  const [count, bytes] = [300, 65_536];
  const server = await ScriptedServer.listen();
  const device = await server.connect();
  let reads = 0;
  const memory = {
    read: (_: bigint, length: number) => {
      reads += 1;
      return new Uint8Array(length);
    },
    write: () => undefined,
  };
  await device.map(0n, BigInt(bytes), memory);
  const question = struct(["u64", 0], ["u64", bytes]);
  server.pause();
  server.raw(Buffer.concat(Array.from({ length: count }, (_, id) => message(id, 11, 0, question))));
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.ok(reads <= 64, `${reads} answers at a time`);
  server.resume();
  await server.heard(2 + count);
  assert.equal(reads, count);
  assert.deepEqual(
    server.answers.toSorted(([a], [b]) => a - b),
    Array.from({ length: count }, (_, id) => [id, 0]),
  );
  await device.close();
  await server.end();
});

test("what a message does not take goes in several, and ends where the device ends", async () => {
  const memory = Buffer.from(Array.from({ length: 1000 }, (_, i) => i % 251));
  const script = ({ command, body, id }: Asked, server: ScriptedServer) => {
    if (command !== 9 && command !== 10) return "as usual" as const;
    const at = Number(body.readBigUInt64LE(0));
    const count = Math.min(body.readUInt32LE(12), memory.length - at);
    const data = memory.subarray(at, at + count);
    if (command === 10) body.copy(memory, at, 16, 16 + count);
    server.reply(
      { id, command, body },
      struct(body.subarray(0, 12), ["u32", count], command === 9 ? data : Buffer.alloc(0)),
    );
    return undefined;
  };
  const server = await ScriptedServer.listen(script, { max_data_xfer_size: 100 });
  const device = await server.connect();
  const read = (offset: number, length: number) => device.call("READ", { offset: BigInt(offset), length });
  assert.ok(memory.subarray(7, 257).equals(await read(7, 250)));
  assert.equal(server.asked.length, 4);
  assert.ok(memory.subarray(850).equals(await read(850, 300)));
  const bytes = Buffer.alloc(330, 9);
  assert.equal(await device.call("WRITE", { offset: 0n, bytes }), 330);
  assert.ok(memory.subarray(0, 330).equals(bytes));
  assert.equal(await device.call("WRITE", { offset: 850n, bytes }), 150);
  await device.close();
  await server.end();
});

test("a server that ends fails what is under way, releases what it was given, and is not there any more", async () => {
  const staged = await stage(withDescriptors);
  const device = await VfioUserDevice.connect(staged.rig.runtime, staged.server.socketPath, withDescriptors);
  const counter = new EventCounter(staged.rig.runtime, "line");
  const flags = IrqSetFlag.DATA_EVENTFD | IrqSetFlag.ACTION_TRIGGER;
  await device.call("SET_IRQS", { argsz: 24, flags, index: 0, start: 0, count: 1, data: [counter] });
  const shared = await device.share(0n, 4096);
  const { offset } = await device.call("GET_REGION_INFO", { argsz: 64, index: 1 });
  const order: string[] = [];
  const waiting = failure(device.call("WRITE", { offset, bytes: struct(["u32", Action.WAIT]) })).then(
    (why) => {
      order.push(counter.state);
      return why;
    },
  );
  await staged.machine.waiting.wait();
  const closing = staged.rig.gone(staged.device);
  staged.machine.go.completeAll();
  assert.match(await waiting, /^ENODEV|^done/);
  assert.match(await device.ended(), /^ENODEV: .*the server hung up/);
  await closing;
  assert.equal(device.state, "lost");
  assert.equal(counter.state, "released");
  assert.match(await failure(device.call("GET_INFO", info)), /^ENODEV: .*the server hung up/);
  assert.match(await failure(device.share(8192n, 4096)), /^ENODEV/);
  assert.match(await failure(device.unmap(0n, 4096n)), /^ENODEV/);
  assert.throws(() => shared.read(0, Buffer.alloc(1)), /EFAULT/);
  await device.close();
  await staged.server.close();
  await staged.afterwards();
});

test("a connection that ends tells the eventfds before those who wait for an answer", async () => {
  const server = await ScriptedServer.listen(({ command }) => (command === 4 ? undefined : "as usual"), {
    max_msg_fds: 4,
  });
  const device = await server.connect(withDescriptors);
  const order: string[] = [];
  const eventfd = { signal: () => undefined, release: () => void order.push("released") };
  const flags = IrqSetFlag.DATA_EVENTFD | IrqSetFlag.ACTION_TRIGGER;
  await device.call("SET_IRQS", { argsz: 24, flags, index: 0, start: 0, count: 1, data: [eventfd] });
  const asked = failure(device.call("GET_INFO", info)).then((why) => void order.push(why.slice(0, 6)));
  await server.heard(3);
  server.hangUp();
  await asked;
  assert.deepEqual(order, ["released", "ENODEV"]);
  await device.close();
  assert.deepEqual(order, ["released", "ENODEV"]);
  await server.end();
});

test("interrupts that wait for their turn when the connection ends are told that, and stay their owner's", async () => {
  const server = await ScriptedServer.listen(({ command }) => (command === 8 ? undefined : "as usual"), {
    max_msg_fds: 4,
  });
  const device = await server.connect(withDescriptors);
  const released: number[] = [];
  const set = (vector: number) => {
    const eventfd = { signal: () => undefined, release: () => void released.push(vector) };
    const flags = IrqSetFlag.DATA_EVENTFD | IrqSetFlag.ACTION_TRIGGER;
    return failure(
      device.call("SET_IRQS", { argsz: 24, flags, index: 0, start: vector, count: 1, data: [eventfd] }),
    );
  };
  const calls = [set(0), set(1), set(2)];
  await server.heard(2);
  server.hangUp();
  for (const call of calls) assert.match(await call, /^ENODEV: .*the server hung up/);
  assert.deepEqual(released, []);
  await device.close();
  await server.end();
});

const wrong: readonly (readonly [string, (asked: Asked) => Uint8Array, RegExp])[] = [
  ["another number", ({ id }) => message(id + 1, 4, 1, Buffer.alloc(16)), /answers nothing/],
  ["another command", ({ id }) => message(id, 5, 1, Buffer.alloc(32)), /answers nothing/],
  ["neither a command nor an answer", ({ id }) => message(id, 4, 7, Buffer.alloc(16)), /answers nothing/],
  ["an answer that is too short", ({ id }) => message(id, 4, 1, Buffer.alloc(12)), /12 bytes, at least 16/],
  [
    "a size below a header",
    () => struct(["u16", 1], ["u16", 4], ["u32", 15], ["u32", 1], ["u32", 0]),
    /a message of 15 bytes/,
  ],
  [
    "a size beyond what was agreed on",
    () => struct(["u16", 1], ["u16", 4], ["u32", 2 ** 31], ["u32", 1], ["u32", 0]),
    /a message of 2147483648 bytes/,
  ],
];
for (const [what, answer, why] of wrong)
  test(`${what} ends the connection, and everybody is told why`, async () => {
    const server = await ScriptedServer.listen((asked, self) => {
      if (asked.command !== 4) return asked.command === 13 ? undefined : "as usual";
      self.raw(answer(asked));
      return undefined;
    });
    const device = await server.connect();
    const reset = failure(device.call("RESET", {}));
    const message = await failure(device.call("GET_INFO", info));
    assert.match(message, /^ENODEV: .*the server broke the protocol: /);
    assert.match(message, why);
    assert.equal(await reset, message);
    assert.equal(await device.ended(), message);
    assert.equal(device.state, "lost");
    await device.close();
    await server.end();
  });

test("an error that Linux has and this does not know is told with its number", async () => {
  const server = await ScriptedServer.listen((asked, self) =>
    asked.command === 4 ? void self.refuse(asked, 999) : "as usual",
  );
  const device = await server.connect();
  assert.match(await failure(device.call("GET_INFO", info)), /^EIO: .*DEVICE_GET_INFO, with errno 999/);
  await device.close();
  await server.end();
});

test("what the server may not ask is refused, and the connection stays", async () => {
  const server = await ScriptedServer.listen();
  const device = await server.connect();
  await device.share(0x5000n, 4096);
  const dma = (iova: number, count: number): Buffer => struct(["u64", iova], ["u64", count]);
  const questions: readonly (readonly [command: number, body: Uint8Array, errno: number])[] = [
    [11, dma(0x5000, 4), 0],
    [11, dma(0x4fff, 4), 14],
    [11, dma(0x5ffd, 4), 14],
    [11, dma(0x5000, 2 ** 21), 22],
    [12, dma(0x5000, 4), 22],
    [12, struct(dma(0x5000, 4), ["u32", 1]), 0],
    [4, dma(0, 0), 95],
    [77, dma(0, 0), 95],
    [11, Buffer.alloc(3), 22],
  ];
  for (const [i, [command, body]] of questions.entries()) server.raw(message(1000 + i, command, 0, body));
  await server.heard(2 + questions.length);
  assert.deepEqual(
    server.answers.toSorted(([a], [b]) => a - b),
    questions.map(([, , errno], i) => [1000 + i, errno]),
  );
  assert.equal(device.state, "open");
  await device.close();
  await server.end();
});

test("whatever a server sends, every call ends, and nothing breaks", async () => {
  const piece = fc.oneof(
    fc.uint8Array({ maxLength: 64 }),
    fc
      .record({
        id: fc.nat(6),
        command: fc.nat(20),
        flags: fc.constantFrom(0, 1, 0x10, 0x21, 3),
        body: fc.uint8Array({ maxLength: 48 }),
        errno: fc.nat(40),
      })
      .map(({ id, command, flags, body, errno }) => message(id, command, flags, body, errno)),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 8 }), async (pieces) => {
      let left = [...pieces];
      const server = await ScriptedServer.listen(({ command }, self) => {
        if (command === 1) return "as usual";
        const [next, ...rest] = left;
        left = rest;
        if (next === undefined) self.hangUp();
        else self.raw(next);
        return undefined;
      });
      const device = await VfioUserDevice.connect(createRuntime(), server.path);
      await device
        .share(0n, 4096, "read-write", { deadline: server.runtime.clock.now() + 5 })
        .catch(() => undefined);
      for (let i = 0; i < 12; i += 1) {
        const deadline = server.runtime.clock.now() + 5;
        await failure(device.call(i % 2 === 0 ? "GET_INFO" : "RESET", info, { deadline }));
      }
      await device.close();
      await server.end();
    }),
    { numRuns: 40 },
  );
});
