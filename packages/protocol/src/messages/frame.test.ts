import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { isProtocolError } from "../error.js";
import { CONTROL_HEADER, controlFrames, decodeFrame, encodeFrame, MAX_CONTROL_MESSAGE } from "./frame.js";

function concat(parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

describe("control frames", () => {
  it("come whole out of any cutting of the stream", () => {
    const bodies = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 6 });
    fc.assert(
      fc.property(bodies, fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1 }), (sent, cuts) => {
        const stream = concat(sent.map((body, i) => encodeFrame(i, 0, i + 1, body)));
        const frames = controlFrames();
        const received: Uint8Array[] = [];
        for (let at = 0, i = 0; at < stream.length; i++) {
          const step = cuts[i % cuts.length] ?? 1;
          frames.push(stream.slice(at, at + step));
          at += step;
          for (let frame = frames.next(); frame !== null; frame = frames.next())
            received.push(decodeFrame(frame).body);
        }
        assert.deepEqual(
          received.map((body) => [...body]),
          sent.map((body) => [...body]),
        );
        assert.equal(frames.rest().length, 0);
      }),
    );
  });

  it("of any size come whole, in memory that grows with what has come", () => {
    const body = Uint8Array.from({ length: 300_000 }, (_, i) => i % 251);
    const stream = encodeFrame(1, 0, 1, body);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 100_000 }), { minLength: 1, maxLength: 8 }), (cuts) => {
        const frames = controlFrames();
        let frame: Uint8Array | null = null;
        for (let at = 0, i = 0; at < stream.length; i++) {
          assert.equal(frame, null);
          const step = Math.max(cuts[i % cuts.length] ?? 1, 500);
          frames.push(stream.slice(at, at + step));
          at += step;
          frame = frames.next();
        }
        assert.ok(frame !== null && Buffer.from(frame.buffer).equals(stream));
      }),
      { numRuns: 30 },
    );
    const before = process.memoryUsage().arrayBuffers;
    const begun = Array.from({ length: 1000 }, () => {
      const frames = controlFrames();
      frames.push(stream.slice(0, 4));
      frames.next();
      return frames;
    });
    assert.ok(process.memoryUsage().arrayBuffers - before < 50_000_000);
    assert.equal(begun.length, 1000);
  });

  it("of impossible size are refused as soon as the size is known", () => {
    for (const size of [0, CONTROL_HEADER - 1, MAX_CONTROL_MESSAGE + 1, 0xffff_ffff]) {
      const frames = controlFrames();
      const head = new Uint8Array(4);
      new DataView(head.buffer).setUint32(0, size, true);
      frames.push(head);
      assert.throws(
        () => frames.next(),
        (error) => isProtocolError(error, "bad-size"),
      );
    }
  });

  it("too long to send are refused", () => {
    assert.throws(
      () => encodeFrame(1, 0, 1, new Uint8Array(MAX_CONTROL_MESSAGE)),
      (error) => isProtocolError(error, "too-long"),
    );
  });

  it("leave behind what follows them", () => {
    const frames = controlFrames();
    frames.push(concat([encodeFrame(1, 0, 1, Uint8Array.of(5)), Uint8Array.of(9, 8, 7, 6, 5)]));
    assert.deepEqual([...decodeFrame(frames.next() as Uint8Array).body], [5]);
    assert.deepEqual([...frames.rest()], [9, 8, 7, 6, 5]);
    assert.equal(frames.next(), null);
  });
});
