/**
 * The ends of a ring in memory that the other process writes at will, at any moment: the input is what it does between two steps of
 * ours. Nothing may lead a reader or a writer outside of the ring, or keep it busy for ever.
 */
import { must } from "../lib/finding.mjs";
import { join } from "../lib/mutate.mjs";
import { mendEqual, splitEqual } from "../lib/units.mjs";

const capacity = 4096;
const unitBytes = 8;
/** The step, where, what. */
const step = (kind, at, value) => {
  const unit = new Uint8Array(unitBytes);
  const view = new DataView(unit.buffer);
  view.setUint16(0, kind, true);
  view.setUint16(2, at, true);
  view.setUint32(4, value, true);
  return unit;
};
const kinds = {
  write: 0,
  head: 1,
  tail: 2,
  next: 3,
  done: 4,
  release: 5,
  begin: 6,
  flush: 7,
  backlog: 8,
  sleeps: 9,
};

export const target = {
  description: "a ring whose other end misbehaves",
  split: (input) => splitEqual(input, unitBytes),
  mend: (unit) => mendEqual(unit, unitBytes),
  countOf: (input) => Math.max(1, Math.floor(input.length / unitBytes)),
  dictionary: {
    words: [
      ...Object.values(kinds),
      8,
      16,
      24,
      capacity - 8,
      capacity,
      capacity + 8,
      capacity / 4,
      0xfffff000,
      0x40,
    ],
    bytes: [],
  },
  seeds: () => [
    // Two records, padding, and the next lap.
    join([
      step(0, 0, 16),
      step(0, 1, 5),
      step(0, 4, 8),
      step(0, 5, 6),
      step(1, 0, 24),
      step(3, 0, 0),
      step(4, 0, 0),
      step(3, 0, 0),
      step(4, 0, 0),
      step(5, 0, 0),
    ]),
    join([
      step(0, 0, capacity),
      step(0, 1, 0),
      step(1, 0, capacity),
      step(3, 0, 0),
      step(5, 0, 0),
      step(0, 0, 8),
      step(0, 1, 9),
      step(1, 0, capacity + 8),
      step(3, 0, 0),
      step(4, 0, 0),
    ]),
    // A writer whose reader follows.
    join(
      Array.from({ length: 12 }, (_, i) => [
        step(6, 0, 1000),
        step(7, 0, 0),
        step(2, 0, 1000 * (i + 1)),
      ]).flat(),
    ),
    join([
      step(6, 0, 512),
      step(7, 0, 0),
      step(2, 0, 512),
      step(6, 0, 512),
      step(7, 0, 0),
      step(2, 0, 0xffffff00),
      step(6, 0, 8),
    ]),
  ],
  setup: async () => {
    const { isProtocolError } = await import("../../packages/protocol/dist/index.js");
    const { Reader } = await import("../../packages/protocol/dist/carrier/ring-reader.js");
    const { Writer } = await import("../../packages/protocol/dist/carrier/ring-writer.js");
    const { HEAD, READER_SLEEPS, TAIL } = await import("../../packages/protocol/dist/carrier/ring-layout.js");
    const memory = () => {
      const buffer = new ArrayBuffer(256 + capacity);
      return { control: new Int32Array(buffer, 0, 64), buffer, offset: 256, capacity };
    };
    class Closed extends Error {}
    return (input) => {
      const theirs = memory();
      const ours = memory();
      let ended;
      let writer;
      const fail = (error) => {
        ended = error.code;
        reader.shut();
        writer.shut();
      };
      const reader = new Reader(theirs, {
        drained: () => undefined,
        released: () => undefined,
        readerFailed: fail,
      });
      writer = new Writer(ours, {
        published: () => undefined,
        padded: (_position, bytes) => must(bytes > 0 && bytes <= capacity, "padding beyond the ring"),
        starved: () => undefined,
        block: (waited) => {
          if (waited > 2) throw new Closed();
        },
        writerFailed: fail,
        closeReason: () => new Closed(),
      });
      const view = new DataView(input.buffer, input.byteOffset, input.byteLength);
      const words = new Uint32Array(theirs.buffer, 256);
      for (let at = 0; at + unitBytes <= input.length && at < 8 * 512; at += unitBytes) {
        const kind = view.getUint16(at, true) % 10;
        const place = view.getUint16(at + 2, true);
        const value = view.getUint32(at + 4, true);
        try {
          if (kind === kinds.write) words[place % words.length] = value;
          else if (kind === kinds.head) theirs.control[HEAD] = value;
          else if (kind === kinds.tail) ours.control[TAIL] = value;
          else if (kind === kinds.sleeps) theirs.control[READER_SLEEPS] = value;
          else if (kind === kinds.next) {
            const word = reader.next();
            if (word >= 0) {
              must(word * 4 + reader.recordBytes <= capacity, "a record beyond the ring's end");
              must(reader.recordBytes >= 8, "a record without a header");
            } else must(word === -1, "a place before the ring");
          } else if (kind === kinds.done) {
            if (reader.next() >= 0) reader.done();
          } else if (kind === kinds.release) reader.release();
          else if (kind === kinds.begin) {
            const bytes = value & 0x7ff;
            const word = (place & 1) === 0 ? writer.tryBegin(bytes) : writer.begin(bytes);
            if (word >= 0) must(word * 4 + bytes <= capacity, "room for a record beyond the ring's end");
          } else if (kind === kinds.flush) writer.flush();
          else must(reader.backlog <= capacity, "more than a ring is said to wait");
        } catch (error) {
          if (!isProtocolError(error) && !(error instanceof Closed) && !(error instanceof RangeError))
            throw error;
        }
      }
      return ended;
    };
  },
};
