/** A queue's frames over a socket, as the receiving end puts them into its ring, with a reader that keeps up, or does not. */
import { must } from "../lib/finding.mjs";
import { join } from "../lib/mutate.mjs";

const capacity = 4096;
const frame = (kind, number, body = new Uint8Array(0)) => {
  const head = new Uint8Array(8);
  new DataView(head.buffer).setUint32(0, kind, true);
  new DataView(head.buffer).setUint32(4, number, true);
  return join([head, body]);
};
const record = (bytes, opcode) => {
  const body = new Uint8Array(bytes);
  new DataView(body.buffer).setUint32(0, bytes, true);
  new DataView(body.buffer).setUint32(4, opcode, true);
  return body;
};
const data = (...records) => {
  const body = join(records);
  return frame(1, body.length, body);
};

function split(input) {
  const units = [];
  const view = new DataView(input.buffer, input.byteOffset, input.byteLength);
  let at = 0;
  while (input.length - at >= 8) {
    const body = view.getUint32(at, true) === 1 ? view.getUint32(at + 4, true) : 0;
    const end = at + 8 + body;
    if (end > input.length) break;
    units.push(input.subarray(at, end));
    at = end;
  }
  if (at < input.length) units.push(input.subarray(at));
  return units;
}

export const target = {
  description: "a queue's frames over a socket",
  split,
  mend: (unit) => {
    const view = new DataView(unit.buffer, unit.byteOffset, unit.byteLength);
    if (unit.length < 8 || view.getUint32(0, true) !== 1) return unit;
    const mended = new Uint8Array(8 + Math.max(8, (unit.length - 8 + 7) & ~7));
    mended.set(unit);
    new DataView(mended.buffer).setUint32(4, mended.length - 8, true);
    return mended;
  },
  countOf: (input) => Math.max(1, split(input).length),
  dictionary: {
    words: [1, 2, 3, 8, 16, capacity, capacity - 8, capacity / 2, capacity * 2],
    bytes: [frame(3, 8), frame(2, 8)],
  },
  seeds: () => [
    data(record(16, 5), record(8, 6)),
    join([
      data(record(1024, 5)),
      data(record(1024, 5)),
      data(record(1024, 5)),
      data(record(512, 5)),
      frame(2, 512),
      data(record(512, 7)),
    ]),
    join([frame(3, 0), data(record(8, 3)), frame(3, 8)]),
    join([data(record(1024, 5), record(1024, 5), record(1024, 5), record(1024, 5)), data(record(64, 5))]),
  ],
  setup: async () => {
    const { isProtocolError } = await import("../../packages/protocol/dist/index.js");
    const { Receiver } = await import("../../packages/protocol/dist/carrier/stream/receiver.js");
    const { Reader } = await import("../../packages/protocol/dist/carrier/ring-reader.js");
    return (input) => {
      const buffer = new ArrayBuffer(256 + capacity);
      const memory = { control: new Int32Array(buffer, 0, 64), buffer, offset: 256, capacity };
      const reader = new Reader(memory, {
        drained: () => undefined,
        released: () => undefined,
        readerFailed: () => undefined,
      });
      const receiver = new Receiver(memory, { arrived: () => undefined, credited: () => undefined });
      const style = (input[input.length - 1] ?? 0) & 3;
      const pace = style === 0 ? 7 : style === 1 ? 64 : 1024;
      try {
        for (let at = 0; at < input.length; at += pace) {
          receiver.take(input, at, Math.min(input.length, at + pace));
          must(receiver.bodyLeft <= capacity - receiver.bodyOffset, "a body that goes beyond the ring's end");
          if (style === 3) continue;
          for (let word = reader.next(); word >= 0; word = reader.next()) {
            must(word * 4 + reader.recordBytes <= capacity, "a record beyond the ring's end");
            reader.done();
          }
        }
      } catch (error) {
        if (!isProtocolError(error)) throw error;
        return error.code;
      }
      return undefined;
    };
  },
};
