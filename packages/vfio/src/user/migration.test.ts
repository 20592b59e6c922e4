/** A device's state on its way from one server to another, and the log of what it writes. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Client, type Field, struct } from "./client.test.fixture.js";
import { Action, stage } from "./machine.test.fixture.js";
import { access, act, feature, mapBody, unmapBody, withClient } from "./questions.test.fixture.js";

const ENOTTY = 25;
const EINVAL = 22;
const ETIMEDOUT = 110;

describe("migration", () => {
  const GET = 0x1_0000;
  const SET = 0x2_0000;
  const PROBE = 0x4_0000;
  const state = (number: number): Buffer => struct(["u32", number], ["u32", 0xffffffff]);

  test("takes a device's state from one server to another", async () => {
    const [from, to] = [await stage(), await stage()];
    from.machine.memory.fill(0xab);
    const source = await Client.greet(from.server.socketPath);
    const target = await Client.greet(to.server.socketPath);
    assert.deepEqual(await source.must(16, feature(1 | PROBE | GET)), feature(1 | PROBE | GET));
    assert.deepEqual(
      await source.must(16, feature(1 | GET, Buffer.alloc(0), 16)),
      feature(1 | GET, struct(["u64", 1])),
    );
    assert.deepEqual(
      await source.must(16, feature(2 | GET, Buffer.alloc(0), 16)),
      feature(2 | GET, state(2)),
    );
    assert.equal(await source.errno(17, struct(["u32", 8], ["u32", 100])), EINVAL);
    assert.deepEqual(await source.must(16, feature(2 | SET, state(3))), feature(2 | SET, state(3)));
    // It stands still: only what takes its state, and its regions.
    assert.equal(await source.errno(3, unmapBody(0n, 0, 2)), EINVAL);
    assert.equal(await source.errno(4, struct(["u32", 16], ["u32", 0], ["u32", 0], ["u32", 0])), EINVAL);
    await source.must(9, access(0, 0, 4));
    await target.must(16, feature(2 | SET, state(4)));
    assert.equal(await target.errno(17, struct(["u32", 8], ["u32", 100])), EINVAL);
    for (let left = 65536; left > 0; ) {
      const piece = await source.must(17, struct(["u32", 8 + 5000], ["u32", 5000]));
      const size = piece.readUInt32LE(4);
      assert.equal(size, Math.min(5000, left));
      assert.equal(piece.readUInt32LE(0), 8 + size);
      assert.equal(piece.length, 8 + 5000);
      await target.must(18, piece);
      left -= size;
    }
    const end = await source.must(17, struct(["u32", 8], ["u32", 100]));
    // What is asked for is what comes, in bytes; what of it counts is said.
    assert.deepEqual(end, struct(["u32", 8], ["u32", 0], Buffer.alloc(100)));
    assert.equal(await source.errno(18, struct(["u32", 8], ["u32", 0])), EINVAL);
    await source.must(16, feature(2 | SET, state(1)));
    await target.must(16, feature(2 | SET, state(2)));
    assert.deepEqual(to.machine.memory, from.machine.memory);
    assert.deepEqual(from.machine.trace, ["open", "STOP", "STOP_COPY", "STOP"]);
    assert.deepEqual(to.machine.trace, ["open", "STOP", "RESUMING", "STOP", "RUNNING"]);
    assert.equal(await source.errno(16, feature(2 | SET, state(0))), EINVAL);
    assert.equal(await source.errno(16, feature(99 | GET)), ENOTTY);
    await source.must(13, Buffer.alloc(0));
    assert.deepEqual(
      await source.must(16, feature(2 | GET, Buffer.alloc(0), 16)),
      feature(2 | GET, state(2)),
    );
    await source.hangUp();
    await target.hangUp();
    await from.end();
    await to.end();
  });

  test("that the driver does not go on with keeps nobody waiting for ever", async () => {
    const staged = await stage({ patience: { commandMs: 50 } });
    const client = await Client.greet(staged.server.socketPath);
    staged.machine.saving = "stuck";
    await client.must(16, feature(2 | SET, state(3)));
    assert.equal(await client.errno(17, struct(["u32", 8], ["u32", 100])), ETIMEDOUT);
    assert.equal(await client.errno(17, struct(["u32", 8], ["u32", 100])), EINVAL, "that stream has ended");
    await client.must(9, access(0, 0, 4));
    staged.machine.go.completeAll();
    await client.hangUp();
    await staged.end();
  });

  test("tells no more pages at once than the client takes, and forgets none", async () => {
    const staged = await stage();
    const client = await Client.greet(staged.server.socketPath, { max_data_xfer_size: 64 });
    const bytes = 1024 * 4096;
    client.lent = [{ iova: 0n, bytes: Buffer.alloc(8192) }];
    await client.must(2, mapBody(0n, bytes));
    await client.must(16, feature(6 | SET, struct(["u64", 4096], ["u32", 0], ["u32", 0])));
    await act(client, Action.DMA_WRITE, 4096n, 4);
    const range = (size: number): Buffer => struct(["u64", 0], ["u64", size], ["u64", 4096]);
    assert.equal(await client.errno(16, feature(8 | GET, range(bytes), 8 + 24 + 128)), EINVAL);
    const report = await client.must(16, feature(8 | GET, range(bytes / 2), 8 + 24 + 128));
    assert.deepEqual(report, feature(8 | GET, struct(range(bytes / 2), ["u64", 0b10], Buffer.alloc(56))));
    await client.hangUp();
    await staged.end();
  });

  test("tells which pages the device has written", () =>
    withClient({}, async (client) => {
      client.lent = [{ iova: 0x10000n, bytes: Buffer.alloc(4 * 4096) }];
      await client.must(2, mapBody(0x10000n, 4 * 4096));
      const start = feature(6 | SET, struct(["u64", 4096], ["u32", 0], ["u32", 0]));
      assert.deepEqual(await client.must(16, start), start);
      await act(client, Action.DMA_WRITE, 0x12ffen, 4);
      const range: readonly Field[] = [
        ["u64", 0x10000],
        ["u64", 0x4000],
        ["u64", 4096],
      ];
      const report = await client.must(16, feature(8 | GET, struct(...range), 8 + 24 + 8));
      assert.deepEqual(report, feature(8 | GET, struct(...range, ["u64", 0b1100])));
      const again = await client.must(16, feature(8 | GET, struct(...range), 8 + 24 + 8));
      assert.deepEqual(again, feature(8 | GET, struct(...range, ["u64", 0])));
      await client.must(16, feature(7 | SET));
      assert.equal(await client.errno(16, feature(8 | GET, struct(...range), 8 + 24 + 8)), EINVAL);
    }));
});
