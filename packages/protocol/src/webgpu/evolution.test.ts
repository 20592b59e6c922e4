import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { isProtocolError } from "../error.js";
import { Cursor } from "./cursor.js";
import * as decoders from "./generated/dictionary-decode.js";
import * as encoders from "./generated/dictionary-encode.js";
import { InterfaceKind, Opcode } from "./generated/numbers.js";
import type { HandleSource } from "./handle.js";
import { loadGenerator, Samples } from "./model.test.fixture.js";
import { RecordBuilder } from "./record-builder.js";
import { RecordViews } from "./record-views.js";
import { World } from "./world.test.fixture.js";

const model = (await loadGenerator()).loadModel();
type Encode = (source: HandleSource, s: RecordBuilder, value: unknown) => void;
type Decode = (c: Cursor) => unknown;

const MARK = 0x12345678;
const PASS = 10 * InterfaceKind.GPUComputePassEncoder;

function viewsOf(words: readonly number[]): RecordViews {
  const even = [...words, ...(words.length % 2 === 0 ? [] : [0])];
  return new RecordViews(Uint32Array.from(even).buffer);
}

describe("dictionaries", () => {
  for (const { name } of model.dictionaries.filter((each) => each.onWire)) {
    const encode = (encoders as unknown as Record<string, Encode>)[`encode${name}`] as Encode;
    const decode = (decoders as unknown as Record<string, Decode>)[`decode${name}`] as Decode;

    test(`${name} with members that nobody here knows is read as far as it is known`, () => {
      const world = new World();
      const samples = new Samples(model, world);
      const builder = new RecordBuilder();
      const newer = fc.record({
        extra: fc.array(fc.integer({ min: 0, max: 0xffffffff }), { maxLength: 5 }),
        presence: fc.constantFrom([], [0x80000000, 5]),
        bit: fc.boolean(),
      });
      fc.assert(
        fc.property(samples.dictionary(name), newer, ({ given, expected }, { extra, presence, bit }) => {
          builder.start(2);
          encode(world.stream, builder, given);
          const words = [...builder.u32.subarray(2, builder.at)];
          const plain = viewsOf([0, 0, ...words]);
          assert.deepEqual(
            decode(new Cursor(plain, world.objects).start(plain, 2, 2 + words.length)),
            expected,
          );
          const [, present, ...members] = words as [number, number, ...number[]];
          // Two presence words more keep 64-bit members at even words; unknown members follow the known ones.
          const first = (present | (bit ? 0x40000000 : 0) | (presence.length > 0 ? 0x80000000 : 0)) >>> 0;
          const grown = [first, ...presence, ...members, ...extra];
          const views = viewsOf([0, 0, grown.length * 4, ...grown, MARK]);
          const cursor = new Cursor(views, world.objects).start(views, 2, 4 + grown.length);
          assert.deepEqual(decode(cursor), expected);
          assert.equal(cursor.word(), MARK);
        }),
        { numRuns: 40 },
      );
      world.close();
    });
  }

  test("lacking a required member are refused", () => {
    const world = new World();
    const views = viewsOf([0, 0, 4, 0]);
    assert.throws(
      () => decoders.decodeGPUBufferDescriptor(new Cursor(views, world.objects).start(views, 2, 4)),
      (error) => isProtocolError(error, "missing-member"),
    );
    world.close();
  });
});

describe("records", () => {
  /** Writes raw words as one record. */
  function put(world: World, words: readonly number[]): void {
    const i = world.client.tx.begin(words.length * 4);
    words.forEach((word, index) => {
      world.client.tx.u32[i + index] = word;
    });
  }

  test("longer than what is known of their command are carried out", () => {
    const world = new World();
    put(world, [40, Opcode.computePassEncoderDispatchWorkgroups, PASS, 1, 2, 3, 77, 78, 79, 80]);
    assert.deepEqual(world.replay(), [
      { on: `GPUComputePassEncoder ${PASS}`, method: "dispatchWorkgroups", args: [1, 2, 3] },
    ]);
    world.close();
  });

  test("shorter than their command are refused", () => {
    const world = new World();
    put(world, [16, Opcode.computePassEncoderDispatchWorkgroups, PASS, 1]);
    assert.throws(
      () => world.replay(),
      (error) => isProtocolError(error, "short-record"),
    );
    world.close();
  });

  test("of an unknown command are not supported", () => {
    const world = new World();
    put(world, [8, 60000]);
    assert.throws(
      () => world.replay(),
      (error) => isProtocolError(error, "not-supported"),
    );
    world.close();
  });

  test("with an unknown enum value are not supported", () => {
    const world = new World();
    put(world, [16, Opcode.devicePushErrorScope, 10 * InterfaceKind.GPUDevice, 999]);
    assert.throws(
      () => world.replay(),
      (error) => isProtocolError(error, "not-supported"),
    );
    world.close();
  });
});
