import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ccw0, ccw1 } from "parhelion-buses";
import { decodeCcw, encodeCcw, transferInChannel } from "./ccws.js";

const words = fc.uint8Array({ minLength: 16, maxLength: 16 });

test("CCWs are decoded as their layouts have them", () => {
  fc.assert(
    fc.property(words, fc.constantFrom(0, 8), (bytes, at) => {
      assert.deepEqual(decodeCcw(bytes, at, 1), ccw1.decode(bytes, at));
      const { cmd, flags, count, cda } = ccw0.decode(bytes, at);
      const isTransfer = (cmd & 0x0f) === transferInChannel;
      const expected = isTransfer ? { cmd: 8, flags: 0, count: 0, cda } : { cmd, flags, count, cda };
      assert.deepEqual(decodeCcw(bytes, at, 0), expected);
    }),
  );
});

test("a CCW is encoded as its layout has it, and nothing beside it changes", () => {
  fc.assert(
    fc.property(words, (bytes) => {
      const ccw = ccw1.decode(bytes);
      const into = new Uint8Array(24).fill(0xee);
      encodeCcw(new DataView(into.buffer), 8, ccw.cmd, ccw.flags, ccw.count, ccw.cda);
      assert.deepEqual(into.subarray(8, 16), ccw1.encode(ccw));
      assert.ok([...into.subarray(0, 8), ...into.subarray(16)].every((byte) => byte === 0xee));
    }),
  );
});
