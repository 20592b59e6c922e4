/** Control frames and VMBus frames cut out of a stream of bytes that comes in arbitrary pieces. */
import { must } from "../lib/finding.mjs";
import { join } from "../lib/mutate.mjs";
import { messageTypes, recordedMessages } from "../lib/sources.mjs";
import { mendSized, splitSized } from "../lib/units.mjs";

const sized = { least: 12 };

function* pieces(input, step) {
  for (let at = 0; at < input.length; at += step) yield input.subarray(at, at + step);
}

export const target = {
  description: "a stream of bytes cut into control frames",
  split: (input) => splitSized(input, sized),
  mend: (unit) => mendSized(unit, sized),
  countOf: (input) => Math.max(1, splitSized(input, sized).length),
  dictionary: { words: [12, 1024 * 1024, 1024 * 1024 + 1, ...messageTypes()], bytes: [] },
  seeds: () =>
    recordedMessages()
      .slice(0, 60)
      .map(({ bytes, type }) => mendSized(join([new Uint8Array(12), bytes]).fill(type & 255, 4, 5), sized)),
  setup: async () => {
    const { controlFrames, decodeFrame, isProtocolError } = await import(
      "../../packages/protocol/dist/index.js"
    );
    const read = (chunks) => {
      const reader = controlFrames();
      const frames = [];
      let error;
      try {
        for (const chunk of chunks) {
          reader.push(chunk);
          for (let frame = reader.next(); frame !== null; frame = reader.next()) frames.push(frame);
        }
      } catch (thrown) {
        if (!isProtocolError(thrown)) throw thrown;
        error = thrown.code;
      }
      return { frames, error, rest: reader.rest().length };
    };
    return (input) => {
      const whole = read([input]);
      const step = 1 + ((input[input.length - 1] ?? 0) % 61);
      const split = read(pieces(input, step));
      must(whole.error === split.error, "an error depends on how the bytes were cut");
      must(
        whole.frames.length === split.frames.length,
        "the number of frames depends on how the bytes were cut",
      );
      let taken = 0;
      for (const [i, frame] of whole.frames.entries()) {
        must(Buffer.compare(frame, split.frames[i]) === 0, "a frame depends on how the bytes were cut");
        taken += frame.length;
        const { body } = decodeFrame(frame);
        must(body.length === frame.length - 12, "a frame's body is not what is behind its header");
      }
      must(taken <= input.length, "frames are longer than what was sent");
      return whole.error;
    };
  },
};
