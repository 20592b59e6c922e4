/**
 * Channel programs of any bytes, with a device that does anything: the interpreter must end, within its limit, as its model does.
 * An input is an ORB, what the device does, and what stands in storage from the first CCW on.
 */
import { isDeepStrictEqual } from "node:util";
import { ccw0, ccw1, orb } from "../../packages/buses/dist/index.js";
import { must } from "../lib/finding.mjs";
import { join } from "../lib/mutate.mjs";
import { mendEqual, splitEqual } from "../lib/units.mjs";

const unitBytes = 8;
const programAt = 0x100;
const storageBytes = 16_384;
/** Two units of ORB and keys, one for each step of the device. */
const steps = 3;
const headBytes = (2 + steps) * unitBytes;
const limit = 300;

const [CD, CC, SLI, SKIP, PCI, IDA, S] = [0x80, 0x40, 0x20, 0x10, 0x08, 0x04, 0x02];
const orbOf = (parts) =>
  join([orb.encode({ cpa: programAt, ...parts }), Uint8Array.of(0x33, 0x33, 0x38, 0x05)]);
/** Moves, status, its second half (0xff: none), what the channel saw. */
const does = (moves, status, later = 0xff, seen = 0) =>
  Uint8Array.of(...[...moves, 0xff, 0xff, 0xff, 0xff].slice(0, 4), status, later, seen, 0);
const well = does([16], 0x0c);
const at = (place, bytes) => (chain) =>
  join([chain, new Uint8Array(place - programAt - chain.length), bytes]);
const seed = (parts, behaviour, encode, ccws, more = (chain) => chain) =>
  join([orbOf(parts), ...behaviour, more(join(ccws.map((ccw) => encode(ccw))))]);

export const target = {
  description: "channel programs on the interpreter, beside the model",
  split: (input) => splitEqual(input, unitBytes),
  mend: (unit) => mendEqual(unit, unitBytes),
  countOf: () => 1,
  dictionary: {
    words: [
      programAt,
      programAt + 8,
      0x800,
      0x1000,
      0x17ff,
      0x1800,
      0x2000,
      storageBytes - 1,
      storageBytes,
      0x7fff,
    ],
    bytes: [
      Uint8Array.of(0x08, 0, 0, 0, 0, 0, 1, 0),
      Uint8Array.of(0x08, 0, 1, 8),
      ...[CD, CC, CC | SLI, SKIP, PCI, IDA, S].map((flags) =>
        Uint8Array.of(0x02, flags, 0, 16, 0, 0, 0x10, 0),
      ),
    ],
  },
  seeds: () => [
    // Search, back to it, read.
    seed({ fmt: 1 }, [does([5], 0x0c), does([5], 0x4c), well], ccw1.encode, [
      { cmd: 0x31, flags: CC, count: 5, cda: 0x1000 },
      { cmd: 0x08, cda: programAt },
      { cmd: 0x06, flags: SLI, count: 64, cda: 0x2000 },
    ]),
    seed({ fmt: 0, spnd: 1 }, [does([6, 6], 0x08, 0x04), well, well], ccw0.encode, [
      { cmd: 0x01, flags: CD, count: 7, cda: 0x1ffc },
      { cmd: 0x00, flags: CC | SLI | PCI, count: 20, cda: 0x1000 },
      { cmd: 0x02, flags: S, count: 4, cda: 0x3000 },
    ]),
    // Indirect addresses over a block's end.
    seed(
      { fmt: 1, c64: 1, i2k: 1, isic: 1 },
      [does([40], 0x0c), well, well],
      ccw1.encode,
      [{ cmd: 0x02, flags: IDA, count: 40, cda: 0x180 }],
      at(0x180, Uint8Array.of(0, 0, 0, 0, 0, 0, 0x17, 0xf0, 0, 0, 0, 0, 0, 0, 0x28, 0)),
    ),
    seed({ fmt: 1, key: 3 }, [does([9], 0x0e), well, well], ccw1.encode, [
      { cmd: 0x0c, flags: CD, count: 5, cda: 0x1002 },
      { cmd: 0x10, count: 4, cda: 0x1fff },
    ]),
  ],
  setup: async () => {
    const folder = "../../packages/ccw/dist/interpreter";
    const { evaluate, interpret } = await import(`${folder}/agreement.test.fixture.js`);
    const { startControls } = await import("../../packages/ccw/dist/index.js");
    return async (input) => {
      const head = new Uint8Array(headBytes);
      head.set(input.subarray(0, headBytes));
      const asked = orb.decode(head);
      const { suspend, initialStatus, immediateLength: _, ...controls } = startControls(asked);
      const memory = new Uint8Array(storageBytes);
      memory.set(input.subarray(headBytes, headBytes + storageBytes - programAt), programAt);
      const keys = Array.from(head.subarray(12, 16), (key) => ({
        key: key & 0x0f,
        fetch: (key & 0x80) !== 0,
      }));
      const trial = {
        machine: { memory, keys, steps: Array.from({ length: steps }, (_, index) => stepOf(head, index)) },
        controls: {
          ...controls,
          suspend: suspend === "allowed",
          initialStatus: initialStatus === "reported",
          ils: asked.ils === 1,
          limit,
        },
        resumes: ["left", "cleared", "cleared"],
      };
      const [ours, model] = [await interpret(trial), evaluate(trial)];
      must(isDeepStrictEqual(ours, model), () => `${text(ours)}, but by the model ${text(model)}`);
      const commands = ours.events.filter(({ kind }) => kind === "command").length;
      must(commands <= limit, `${commands} commands`);
      return summary(ours);
    };
  },
};

function stepOf(head, index) {
  const at = (2 + index) * unitBytes;
  const moves = [...head.subarray(at, at + 4)];
  return {
    acts: moves.flatMap((move) =>
      move === 0xff ? [] : [move === 0xfe ? "accept" : move === 0xfd ? "rest" : move],
    ),
    status: head[at + 4],
    later: head[at + 5] === 0xff ? null : head[at + 5],
    channelStatus: head[at + 6] & 0x0f,
    sense: [index],
  };
}

/** How it ended, and no more: each of these makes an input worth keeping. */
function summary({ outcomes }) {
  const { state, cstat, deferred } = outcomes.at(-1);
  return `${state} ${cstat} ${deferred}`;
}

function text(account) {
  return JSON.stringify({ ...account, memory: undefined });
}
