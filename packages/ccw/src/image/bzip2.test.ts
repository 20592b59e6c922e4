import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { unpackBzip2 } from "./bzip2.js";

const from = (hex: string) => Uint8Array.from(Buffer.from(hex.replaceAll(/\s/g, ""), "hex"));

/** `printf 'parhelion' | bzip2`, `bzip2 < /dev/null`, and 5000 times the letter a. */
const samples = [
  {
    packed: "425a68393141592653591fecb84a00000381802265d00020002201a6d420c98878721878bb9229c28480ff65c250",
    content: Buffer.from("parhelion"),
  },
  { packed: "425a683917724538509000000000", content: Buffer.alloc(0) },
  {
    packed: "425a68393141592653593964e9f90000098120a00000800008200020a534198d46c13c5dc914e14240e593a7e4",
    content: Buffer.alloc(5000, "a"),
  },
] as const;

test("what bzip2 packed comes out again", () => {
  for (const { packed, content } of samples)
    assert.deepEqual(Buffer.from(unpackBzip2(from(packed), 5000)), content);
});

test("content that is longer than the limit is refused", () => {
  for (const { packed, content } of samples)
    if (content.length > 0) assert.throws(() => unpackBzip2(from(packed), content.length - 1), RangeError);
});

test("bytes cut off or changed give the content or a RangeError, never anything else", () => {
  const sample = fc.constantFrom(...samples);
  fc.assert(
    fc.property(sample, fc.nat(200), ({ packed }, length) => {
      const bytes = from(packed);
      if (length >= bytes.length) return;
      assert.throws(() => unpackBzip2(bytes.subarray(0, length), 5000), RangeError);
    }),
  );
  fc.assert(
    fc.property(sample, fc.nat(200), fc.nat(255), ({ packed, content }, at, value) => {
      const bytes = from(packed);
      bytes[at % bytes.length] = value;
      try {
        assert.deepEqual(Buffer.from(unpackBzip2(bytes, 5000)), content);
      } catch (error) {
        assert.ok(error instanceof RangeError, String(error));
      }
    }),
    { numRuns: 500 },
  );
});
