import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import fc from "fast-check";
import { createInProcessPair } from "../carrier/in-process.js";
import { isProtocolError } from "../error.js";
import { EventReader } from "./event-reader.js";
import type { EventHandlers } from "./generated/events.js";
import { UnavailableObjectError } from "./object-table.js";
import { World } from "./world.test.fixture.js";

interface Known {
  readonly words: readonly number[];
  readonly kinds: readonly number[];
  readonly opcodes: readonly number[];
  readonly events: readonly number[];
}
const known = JSON.parse(
  readFileSync(new URL("../../src/webgpu/generated/fuzz-dictionary.json", import.meta.url), "utf8"),
) as Known;
const golden = JSON.parse(
  readFileSync(new URL("../../golden/webgpu-1.golden.json", import.meta.url), "utf8"),
) as { readonly commands: readonly string[]; readonly events: readonly string[] };

const anyWord = fc.integer({ min: 0, max: 0xffffffff });
/** Words that mean something here: handles of the world's objects, small counts, limits, floats. */
const word = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...known.kinds.flatMap((kind) => [10 * kind, 10 * kind + 1])) },
  { weight: 4, arbitrary: fc.constantFrom(...known.words) },
  { weight: 2, arbitrary: fc.nat({ max: 64 }) },
  { weight: 1, arbitrary: anyWord },
);

const recordOf = (opcodes: readonly number[]): fc.Arbitrary<number[]> =>
  fc
    .tuple(
      fc.oneof(fc.constantFrom(...opcodes), fc.nat({ max: 0xffff })),
      fc.nat({ max: 0xffff }),
      fc.array(word, { maxLength: 40 }),
    )
    .map(([opcode, aux, words]) => {
      const even = words.length % 2 === 0 ? words : [...words, 0];
      return [8 + even.length * 4, (opcode | (aux << 16)) >>> 0, ...even];
    });

/** A recorded record with some words replaced, its size and opcode left alone. */
const mutated = (records: readonly string[]): fc.Arbitrary<number[]> =>
  fc
    .tuple(
      fc.constantFrom(...records),
      fc.array(fc.tuple(fc.nat(), fc.oneof(word, anyWord)), { maxLength: 3 }),
    )
    .map(([hex, changes]) => {
      const words = [...new Uint32Array(Uint8Array.from(Buffer.from(hex, "hex")).buffer)];
      for (const [at, value] of changes) if (words.length > 2) words[2 + (at % (words.length - 2))] = value;
      return words;
    });

describe("the replayer", () => {
  const check = (records: readonly (readonly number[])[]): void => {
    const world = new World();
    for (const words of records) world.client.tx.u32.set(words, world.client.tx.begin(words.length * 4));
    try {
      world.replay();
    } catch (error) {
      assert.ok(isProtocolError(error), String(error));
    }
    for (const { error } of world.failures) assert.ok(error instanceof UnavailableObjectError, String(error));
    assert.ok(world.objects.size < 200 + records.length);
    world.close();
  };

  test("survives any bytes in well-formed records", () => {
    fc.assert(fc.property(fc.array(recordOf([1, ...known.opcodes]), { maxLength: 8 }), check), {
      numRuns: 1500,
    });
  });

  test("survives changes to real commands", () => {
    fc.assert(fc.property(fc.array(mutated(golden.commands), { minLength: 1, maxLength: 4 }), check), {
      numRuns: 2500,
    });
  });
});

describe("the event reader", () => {
  const check = (records: readonly (readonly number[])[]): void => {
    const [client, engine] = createInProcessPair({ geometry: { toEngine: 4096, toClient: 1 << 16 } });
    for (const words of records) engine.tx.u32.set(words, engine.tx.begin(words.length * 4));
    engine.tx.flush();
    const handlers = new Proxy({} as EventHandlers, { get: () => () => undefined });
    try {
      new EventReader(client.rx).read(handlers);
    } catch (error) {
      assert.ok(isProtocolError(error), String(error));
    }
    client.close();
    engine.close();
  };

  test("survives any bytes in well-formed records", () => {
    fc.assert(fc.property(fc.array(recordOf(known.events), { maxLength: 8 }), check), { numRuns: 800 });
  });

  test("survives changes to real events", () => {
    fc.assert(fc.property(fc.array(mutated(golden.events), { minLength: 1, maxLength: 4 }), check), {
      numRuns: 800,
    });
  });
});
