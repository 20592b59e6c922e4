import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isProtocolError, type ProtocolError } from "../error.js";
import { PortClosedError } from "./errors.js";
import { fill, isIntact } from "./records.test.fixture.js";
import { allocateRing, HEAD, MIN_RING_BYTES, TAIL } from "./ring-layout.js";
import { Reader } from "./ring-reader.js";
import { Writer } from "./ring-writer.js";

/** A ring whose two ends are connected by nothing but its memory, and a note of what each end reported. */
function ring(capacity = MIN_RING_BYTES) {
  const memory = allocateRing(capacity);
  const failures: ProtocolError[] = [];
  let onBlock = (): void => {
    throw new Error("nobody reads");
  };
  const writer: Writer = new Writer(memory, {
    published() {},
    padded() {},
    starved() {},
    block: () => onBlock(),
    writerFailed(error) {
      failures.push(error);
      writer.shut();
    },
    closeReason: () => new PortClosedError("protocol", "closed by the test"),
  });
  const reader: Reader = new Reader(memory, {
    drained() {},
    released() {},
    readerFailed(error) {
      failures.push(error);
      reader.shut();
    },
  });
  return {
    memory,
    writer,
    reader,
    failures,
    whenFull(act: () => void) {
      onBlock = act;
    },
  };
}

const write = (writer: Writer, sequence: number, bytes: number): void =>
  fill(writer, writer.begin(bytes), sequence, bytes);

test("nothing is seen before it is published, and everything in order after", () => {
  const { writer, reader } = ring();
  write(writer, 0, 24);
  write(writer, 1, 16);
  assert.equal(reader.next(), -1);
  assert.equal(writer.unpublished, 40);
  writer.flush();
  assert.equal(writer.unpublished, 0);
  assert.ok(isIntact(reader, reader.next(), 0));
  assert.ok(isIntact(reader, reader.next(), 0), "a record that is not done is returned again");
  reader.done();
  assert.ok(isIntact(reader, reader.next(), 1));
  reader.done();
  assert.equal(reader.next(), -1);
});

test("any lengths pass through rings of any size in order and unharmed", () => {
  const action = fc.record({ bytes: fc.integer({ min: 2, max: 128 }).map((n) => n * 8), reads: fc.nat(4) });
  fc.assert(
    fc.property(
      fc.constantFrom(4096, 8192, 65536),
      fc.array(action, { maxLength: 400 }),
      (capacity, actions) => {
        const { writer, reader, whenFull, failures } = ring(capacity);
        let written = 0;
        let read = 0;
        const readOne = (): boolean => {
          const word = reader.next();
          if (word < 0) return false;
          assert.ok(isIntact(reader, word, read++));
          reader.done();
          return true;
        };
        whenFull(() => {
          while (readOne());
        });
        for (const { bytes, reads } of actions) {
          write(writer, written++, bytes);
          if (reads > 0) writer.flush();
          for (let i = 0; i < reads; i++) readOne();
        }
        writer.flush();
        while (readOne());
        assert.equal(read, written);
        assert.deepEqual(failures, []);
      },
    ),
  );
});

test("positions may pass 2^32", () => {
  const { writer, reader, memory } = ring(65536);
  const step = (sequence: number, bytes: number): number => {
    write(writer, sequence, 16);
    const word = writer.begin(bytes);
    writer.u32[word] = bytes;
    writer.u32[word + 1] = 1;
    writer.flush();
    assert.ok(isIntact(reader, reader.next(), sequence));
    reader.done();
    assert.equal(reader.next(), word);
    reader.done();
    assert.equal(reader.next(), -1);
    return (memory.control[HEAD] as number) >>> 0;
  };
  let sequence = 0;
  for (let before = 0, now = 0; now >= before; sequence++) {
    before = now;
    now = step(sequence, 16384);
  }
  for (const end = sequence + 100; sequence < end; sequence++) step(sequence, 4096);
});

test("a full ring refuses until the reader has given room back", () => {
  const { writer, reader } = ring();
  let records = 0;
  while (writer.tryBegin(512) >= 0) records++;
  assert.equal(records, MIN_RING_BYTES / 512);
  assert.throws(() => writer.begin(512), /nobody reads/);
  for (let word = 0; word < MIN_RING_BYTES / 4; word += 128) {
    writer.u32[word] = 512;
    writer.u32[word + 1] = 1;
  }
  writer.flush();
  reader.next();
  reader.done();
  assert.notEqual(writer.tryBegin(512), -1);
  assert.equal(writer.tryBegin(512), -1);
});

test("an idle ring starts over at its beginning", () => {
  const { writer, reader } = ring(65536);
  let farthest = 0;
  for (let i = 0; i < 1000; i++) {
    const word = writer.begin(4096);
    fill(writer, word, i, 4096);
    writer.flush();
    farthest = Math.max(farthest, word * 4);
    assert.ok(isIntact(reader, reader.next(), i));
    reader.done();
    assert.equal(reader.next(), -1);
  }
  assert.ok(farthest < 65536 / 2, "the second half of the ring is never needed");
});

test("impossible record sizes are refused at the writer, by name", () => {
  const { writer } = ring();
  for (const bytes of [0, 4, 12, -8, 1032, Number.NaN, 16.5, 2 ** 31])
    for (const begin of [() => writer.begin(bytes), () => writer.tryBegin(bytes)])
      assert.throws(begin, RangeError);
  assert.equal(writer.tryBegin(1024), 0);
});

test("a closed writer begins nothing and publishes nothing", () => {
  const { writer, memory } = ring();
  write(writer, 0, 64);
  writer.shut();
  writer.flush();
  assert.equal(memory.control[HEAD], 0);
  assert.equal(writer.tryBegin(64), -1);
  assert.throws(() => writer.begin(64), PortClosedError);
});

const badRecords: readonly [string, number][] = [
  ["no size", 0],
  ["half a header", 4],
  ["a size that is no multiple of 8", 20],
  ["a size beyond what is published", 72],
  ["a size beyond the ring", 2 ** 31],
  ["the largest number", 2 ** 32 - 1],
];
for (const [what, size] of badRecords) {
  test(`the reader refuses a record with ${what}`, () => {
    const { writer, reader, failures } = ring();
    write(writer, 0, 64);
    writer.u32[0] = size;
    writer.flush();
    assert.throws(
      () => reader.next(),
      (error) => isProtocolError(error, "bad-record"),
    );
    assert.equal(failures.length, 1);
    assert.equal(reader.next(), -1, "afterwards there is nothing to read");
  });
}

for (const [what, head] of [
  ["beyond the ring", MIN_RING_BYTES + 8],
  ["behind the reader", -8],
  ["between two records", 20],
] as const) {
  test(`the reader refuses a head ${what}`, () => {
    const { reader, memory, failures } = ring();
    Atomics.store(memory.control, HEAD, head);
    assert.throws(
      () => reader.next(),
      (error) => isProtocolError(error, "bad-head"),
    );
    assert.equal(failures.length, 1);
  });
}

for (const [what, tail] of [
  ["beyond what is published", MIN_RING_BYTES + 8],
  ["that goes back", -8],
  ["between two records", 4],
] as const) {
  test(`the writer refuses a tail ${what}`, () => {
    const { writer, memory, failures } = ring();
    write(writer, 0, 64);
    writer.flush();
    Atomics.store(memory.control, TAIL, tail);
    assert.throws(() => {
      for (;;) writer.begin(512);
    }, PortClosedError);
    assert.equal(failures[0]?.code, "bad-tail");
  });
}

test("a writer that publishes nothing but padding can't keep the reader", () => {
  const { reader, memory } = ring();
  const words = new Uint32Array(memory.buffer, memory.offset, memory.capacity / 4);
  words.fill(0);
  for (let word = 0; word < words.length; word += 2) words[word] = 8;
  let position = 0;
  for (let i = 0; i < 100; i++) {
    position += MIN_RING_BYTES;
    Atomics.store(memory.control, HEAD, position);
    assert.equal(reader.next(), -1);
  }
});

test("whatever the other end writes, a reader reads inside its ring or fails, and ends", () => {
  const noise = fc.array(
    fc.record({
      head: fc.oneof(
        fc.integer(),
        fc.nat(1024).map((n) => n * 8),
      ),
      word: fc.nat(MIN_RING_BYTES / 4 - 1),
      value: fc.oneof(fc.integer(), fc.nat(600), fc.constant(8)),
    }),
    { maxLength: 60 },
  );
  fc.assert(
    fc.property(noise, (steps) => {
      const { reader, memory } = ring();
      const words = new Int32Array(memory.buffer, memory.offset, memory.capacity / 4);
      try {
        for (const { head, word, value } of steps) {
          words[word] = value;
          Atomics.store(memory.control, HEAD, head);
          for (let records = 0; ; records++) {
            assert.ok(records <= (2 * MIN_RING_BYTES) / 8, "more records than a ring can hold");
            const at = reader.next();
            if (at < 0) break;
            assert.ok(at * 4 + reader.recordBytes <= MIN_RING_BYTES);
            reader.done();
          }
        }
      } catch (error) {
        assert.ok(isProtocolError(error));
      }
    }),
    { numRuns: 500 },
  );
});
