import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { isProtocolError } from "parhelion-protocol";
import { decodePacket, encodeCommand, encodeCompletion, MAX_PACKET } from "./packet.js";

const command = fc.record({
  process: fc.nat(0xffff_ffff),
  channelType: fc.nat(2),
  type: fc.nat(2000),
  body: fc.uint8Array({ maxLength: 50 }),
});

describe("a packet", () => {
  it("carries a command with its exact body, padded to 8 bytes", () => {
    fc.assert(
      fc.property(command, fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (sent, transaction) => {
        const bytes = encodeCommand(sent, transaction);
        assert.equal(bytes.length % 8, 0);
        const packet = decodePacket(bytes);
        assert.ok(packet.kind !== "completion");
        assert.equal(packet.kind, transaction === 0n ? "message" : "request");
        if (packet.kind === "request") assert.equal(packet.transaction, transaction);
        assert.deepEqual(
          { ...packet.command, body: [...packet.command.body] },
          { ...sent, body: [...sent.body] },
        );
      }),
    );
  });

  it("carries a completion with its status", () => {
    assert.deepEqual(decodePacket(encodeCompletion(7n, 0xc000_0001, Uint8Array.of(1, 2, 3))), {
      kind: "completion",
      identity: null,
      transaction: 7n,
      status: 0xc000_0001,
      body: Uint8Array.of(1, 2, 3),
    });
  });

  it("names a slice and its generation behind the descriptor", () => {
    const identity = { slice: "6e382d18-3336-4f4b-acc4-2b7703d4df4a", generation: 2n ** 40n + 1n };
    const sent = { process: 5, channelType: 1, type: 1000, body: Uint8Array.of(9) };
    const bytes = encodeCommand(sent, 3n, identity);
    assert.deepEqual([...bytes.subarray(0, 8)], [6, 0, 5, 0, 9, 0, 1, 0]);
    const packet = decodePacket(bytes);
    assert.ok(packet.kind === "request");
    assert.deepEqual(packet.identity, identity);
    assert.deepEqual(packet.command, sent);
    const completion = decodePacket(encodeCompletion(3n, 0, Uint8Array.of(1, 2), identity));
    assert.deepEqual(completion.identity, identity);
    assert.ok(completion.kind === "completion");
    assert.deepEqual(completion.body, Uint8Array.of(1, 2));
  });

  it("lies as VMBus's descriptor says", () => {
    const bytes = encodeCommand({ process: 5, channelType: 1, type: 1000, body: Uint8Array.of(9) }, 3n);
    assert.deepEqual([...bytes.subarray(0, 16)], [6, 0, 2, 0, 6, 0, 1, 0, 3, 0, 0, 0, 0, 0, 0, 0]);
    assert.deepEqual([...bytes.subarray(24, 40)], [5, 0, 0, 0, 1, 0, 0, 0, 0xe8, 3, 0, 0, 1, 0, 0, 0]);
    assert.deepEqual([...bytes.subarray(40)], [9, 0, 0, 0, 0, 0, 0, 0]);
  });

  it("too large is refused by its sender", () => {
    const body = new Uint8Array(MAX_PACKET - 40);
    assert.equal(encodeCommand({ process: 0, channelType: 0, type: 0, body }, 1n).length, MAX_PACKET);
    const more = new Uint8Array(MAX_PACKET - 39);
    assert.throws(
      () => encodeCommand({ process: 0, channelType: 0, type: 0, body: more }, 1n),
      (error) => isProtocolError(error, "too-long"),
    );
  });

  it("of any bytes decodes or is refused", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), fc.boolean(), (bytes, plausible) => {
        if (plausible && bytes.length >= 16) {
          new DataView(bytes.buffer).setUint16(2, 2, true);
          new DataView(bytes.buffer).setUint16(4, bytes.length / 8, true);
        }
        try {
          decodePacket(bytes);
        } catch (error) {
          if (!isProtocolError(error)) throw error;
        }
      }),
      { numRuns: 2000 },
    );
  });
});
