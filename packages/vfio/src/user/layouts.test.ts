/** Memory that is asked for, of clients that lay their answers out as the specification says, and as QEMU does. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Client } from "./client.test.fixture.js";
import { Action, type Stage } from "./machine.test.fixture.js";
import { act, mapBody, withClient } from "./questions.test.fixture.js";

const iova = 0x8000n;
/** What QEMU names. */
const qemu = {
  max_msg_fds: 8,
  max_data_xfer_size: 1024 * 1024,
  pgsizes: 4096,
  max_dma_maps: 65535,
  migration: { pgsize: 4096 },
  write_multiple: true,
};

async function lend(client: Client, layout: "specified" | "short"): Promise<Buffer> {
  const bytes = Buffer.alloc(4096);
  client.layout = layout;
  client.lent = [{ iova, bytes }];
  await client.must(2, mapBody(iova, bytes.length));
  return bytes;
}

async function read(client: Client, { machine }: Stage, at: number, length: number): Promise<Buffer> {
  machine.memory.fill(0xee);
  assert.equal(await act(client, Action.DMA_READ, iova + BigInt(at), length), 0);
  return Buffer.from(machine.memory.subarray(0, length));
}

test("zeros tell nothing, and what comes behind them is read where it is", async () => {
  for (const layout of ["specified", "short"] as const)
    await withClient({}, async (client, staged) => {
      const bytes = await lend(client, layout);
      assert.deepEqual(await read(client, staged, 0, 64), Buffer.alloc(64));
      bytes.write("late", 40);
      assert.deepEqual(await read(client, staged, 0, 64), bytes.subarray(0, 64));
      assert.ok(client.asked.length <= 4);
      const { length } = client.asked;
      assert.deepEqual(await read(client, staged, 32, 16), bytes.subarray(32, 48));
      assert.equal(client.asked.length, length + 1, "it is known now");
    });
});

test("a first write puts nothing where it does not belong, not even for a moment, where the client may be QEMU", async () => {
  for (const layout of ["specified", "short"] as const)
    for (const before of [0, 7])
      await withClient(
        {},
        async (client, staged) => {
          const bytes = await lend(client, layout);
          bytes.fill(before);
          const data = Buffer.from("\0\0written");
          const expected = Buffer.from(bytes);
          data.copy(expected, 8);
          const astray: string[] = [];
          client.served = () => {
            for (const [at, byte] of bytes.entries())
              if (byte !== before && byte !== expected[at]) astray.push(`${byte} at ${at}`);
          };
          staged.machine.memory.set(data);
          assert.equal(await act(client, Action.DMA_WRITE, iova + 8n, data.length), 0);
          client.served = () => undefined;
          assert.deepEqual(astray, []);
          assert.deepEqual(bytes, expected);
          const { length } = client.asked;
          assert.equal(await act(client, Action.DMA_WRITE, iova, 8), 0);
          assert.equal(client.asked.length, length + 1, "it is known now");
          assert.deepEqual(bytes.subarray(0, 17), Buffer.from("\0\0writte\0\0written"));
        },
        qemu,
      );
});

test("memory that can only be written is written where it belongs", async () => {
  for (const layout of ["specified", "short"] as const)
    for (const capabilities of [qemu, {}])
      await withClient(
        {},
        async (client, staged) => {
          const bytes = await lend(client, layout);
          client.refused = 11;
          staged.machine.memory.set(Buffer.from("written"));
          assert.equal(await act(client, Action.DMA_WRITE, iova + 8n, 7), 0);
          assert.deepEqual(bytes.subarray(0, 20), Buffer.from("\0\0\0\0\0\0\0\0written\0\0\0\0\0"));
        },
        capabilities,
      );
});

test("a client that awaits one write after the other gets these and nothing else", () =>
  withClient({}, async (client, staged) => {
    const bytes = await lend(client, "specified");
    for (const [i, text] of ["first", "second"].entries()) {
      staged.machine.memory.set(Buffer.from(text));
      assert.equal(await act(client, Action.DMA_WRITE, iova + BigInt(8 * i), text.length), 0);
    }
    assert.deepEqual(client.asked, [
      [12, iova, 5],
      [12, iova + 8n, 6],
    ]);
    assert.equal(bytes.subarray(0, 14).toString(), "first\0\0\0second");
  }));

test("a first write that went to the wrong place is put right before the device goes on", () =>
  withClient({}, async (client, staged) => {
    const bytes = await lend(client, "short");
    bytes.fill(7);
    staged.machine.memory.set(Buffer.from("\0\0written"));
    assert.equal(await act(client, Action.DMA_WRITE, iova + 8n, 9), 0);
    assert.deepEqual(
      bytes.subarray(0, 32),
      Buffer.concat([Buffer.alloc(8, 7), Buffer.from("\0\0written"), Buffer.alloc(15, 7)]),
    );
  }));

test("what goes away while it is found out how it is laid out is not read anywhere else", async () => {
  for (const layout of ["specified", "short"] as const)
    await withClient({}, async (client, staged) => {
      const bytes = await lend(client, layout);
      bytes.write("!", 10);
      client.served = () => void bytes.fill(0);
      assert.deepEqual(await read(client, staged, 0, 64), Buffer.alloc(64));
    });
});

/** Mostly zeros, which is where the layouts look alike. */
const content = fc
  .uint8Array({ maxLength: 24, minLength: 1 })
  .map((bytes) => bytes.map((byte) => (byte < 200 ? 0 : byte)));
const step = fc.record({ kind: fc.constantFrom("read", "write"), at: fc.nat(40), content });

test("whatever is read and written in whatever order, both ends have the same bytes", () =>
  fc.assert(
    fc.asyncProperty(
      fc.constantFrom("specified" as const, "short" as const),
      fc.constantFrom(qemu, {}),
      content,
      fc.array(step, { minLength: 1, maxLength: 5 }),
      (layout, capabilities, before, steps) =>
        withClient(
          {},
          async (client, staged) => {
            const bytes = await lend(client, layout);
            bytes.set(before, 8);
            const expected = Buffer.from(bytes);
            for (const { kind, at, content: data } of steps) {
              if (kind === "read")
                assert.deepEqual(
                  await read(client, staged, at, data.length),
                  expected.subarray(at, at + data.length),
                );
              else {
                staged.machine.memory.set(data);
                expected.set(data, at);
                assert.equal(await act(client, Action.DMA_WRITE, iova + BigInt(at), data.length), 0);
              }
              assert.deepEqual(bytes, expected);
            }
          },
          capabilities,
        ),
    ),
    { numRuns: 30 },
  ));
