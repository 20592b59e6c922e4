import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createInProcessPair, isProtocolError, type Port } from "parhelion-protocol";
import { Outbox } from "./outbox.js";

const settle = () => new Promise((resolve) => setTimeout(resolve, 1));

/** Sends a record of `bytes` that carries `value`. */
function note(port: Port, value: number, bytes: number): () => boolean {
  return () => {
    const at = port.tx.tryBegin(bytes);
    if (at < 0) return false;
    port.tx.u32[at] = bytes;
    port.tx.u32[at + 1] = 1;
    port.tx.u32[at + 2] = value;
    return true;
  };
}

function read(port: Port, into: number[]): void {
  for (let at = port.rx.next(); at >= 0; at = port.rx.next()) {
    into.push(port.rx.u32[at + 2]!);
    port.rx.done();
  }
}

const small = { geometry: { toEngine: 65_536, toClient: 65_536 } };

describe("an outbox", { timeout: 300_000 }, () => {
  it("keeps the order when the ring is full for a while", async () => {
    const [client, engine] = createInProcessPair(small);
    const outbox = new Outbox(engine, 1000);
    for (let i = 0; i < 100; i++) outbox.post(note(engine, i, 4096));
    assert.ok(outbox.waiting > 0, "the ring was expected to be too small for all");
    const got: number[] = [];
    client.onReadable(() => read(client, got));
    while (got.length < 100) await settle();
    assert.deepEqual(
      got,
      Array.from({ length: 100 }, (_, i) => i),
    );
    assert.equal(outbox.waiting, 0);
    client.close();
  });

  it("refuses to grow without end, and drops what nobody asked for before", () => {
    const [client, engine] = createInProcessPair(small);
    const outbox = new Outbox(engine, 10);
    for (let i = 0; i < 100; i++) outbox.offer(note(engine, i, 4096));
    assert.equal(outbox.waiting, 5);
    assert.throws(
      () => {
        for (let i = 0; i < 100; i++) outbox.post(note(engine, i, 4096));
      },
      (error) => isProtocolError(error, "replies-not-read"),
    );
    assert.equal(outbox.waiting, 10);
    client.close();
  });

  it("says nothing more once it is closed", async () => {
    const [client, engine] = createInProcessPair(small);
    const outbox = new Outbox(engine, 1000);
    const got: number[] = [];
    for (let i = 0; i < 100; i++) outbox.post(note(engine, i, 4096));
    const sent = 100 - outbox.waiting;
    outbox.close();
    outbox.post(note(engine, 1000, 16));
    client.onReadable(() => read(client, got));
    while (got.length < sent) await settle();
    await settle();
    assert.equal(got.length, sent);
    client.close();
  });
});
