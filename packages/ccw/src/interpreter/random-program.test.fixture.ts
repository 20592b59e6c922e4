/** Random channel programs, with the machine they run on: mostly sensible, so that most of them get somewhere. */

import fc from "fast-check";
import { ccw0, ccw1 } from "parhelion-buses";
import type { Controls, Machine, Step } from "./model-types.test.fixture.js";

export interface Scenario {
  readonly program: readonly Slot[];
  /** IDAWs. */
  readonly indirects: readonly number[];
  readonly fill: number;
  readonly keys: Machine["keys"];
  readonly steps: readonly Step[];
  readonly controls: Controls;
  /** How often it is resumed, and whether the flag that suspended it is cleared before. */
  readonly resumes: readonly ("cleared" | "left")[];
}

const blocks = 4;
const size = blocks * 4096;
const programAt = 0x100;
const slots = 14;
const listsAt = 0x800;
const lists = 12;

export interface Slot {
  readonly cmd: number;
  readonly flags: number;
  readonly count: number;
  readonly cda: number;
}

function often<T>(weight: number, arbitrary: fc.Arbitrary<T>): fc.WeightedArbitrary<T> {
  return { arbitrary, weight };
}

const slotAddress = fc.nat(slots).map((slot) => programAt + slot * 8);

const dataAddress = fc.oneof(
  often(8, fc.integer({ min: 0x1000, max: size - 1 })),
  often(3, fc.constantFrom(0x17f0, 0x1ff8, 0x2ffc, 0x37fe, size - 4, size - 1, 0x1000, 0x1800, 0x2000)),
  often(1, slotAddress),
  often(1, fc.constantFrom(0, size, size + 100, 0xff_fff0, 0x7fff_fff8, 0x8000_1000)),
);

const count = fc.oneof(
  often(8, fc.integer({ min: 1, max: 40 })),
  often(1, fc.constant(0)),
  often(1, fc.constantFrom(2047, 2048, 2049, 4097)),
);

const flags = fc
  .tuple(
    fc.constantFrom(0x80, 0x40, 0x40, 0x40, 0x40, 0xc0, 0),
    fc.constantFrom(0x20, 0),
    fc.constantFrom(0x10, 0, 0, 0),
    fc.constantFrom(0x08, 0, 0),
    fc.constantFrom(0x04, 0, 0),
    fc.constantFrom(0x02, ...Array<number>(9).fill(0)),
    fc.constantFrom(0x01, ...Array<number>(40).fill(0)),
  )
  .map((bits) => bits.reduce((all, bit) => all | bit, 0));

const transfer: fc.Arbitrary<Slot> = fc.record({
  cmd: fc.constantFrom(0x08, 0x08, 0x08, 0x18),
  flags: fc.constantFrom(0, 0, 0, 0, 0, 0x40),
  count: fc.constantFrom(0, 0, 0, 0, 1),
  cda: fc.oneof(often(10, slotAddress), often(1, fc.constantFrom(0x104, size, 0x80_0000, 0x8000_0100))),
});

const command: fc.Arbitrary<Slot> = fc
  .record({
    cmd: fc.oneof(
      often(20, fc.constantFrom(0x01, 0x02, 0x03, 0x04, 0x07, 0x31, 0x86, 0xe4, 0x0c, 0x9d)),
      often(1, fc.nat(255)),
    ),
    flags,
    count,
    data: dataAddress,
    list: fc.oneof(
      often(
        9,
        fc.nat(lists).map((word) => listsAt + word * 4),
      ),
      often(1, dataAddress),
    ),
  })
  .map(({ data, list, ...rest }) => ({ ...rest, cda: (rest.flags & 0x04) === 0 ? data : list }));

const slot = fc.oneof(often(6, command), often(1, transfer));

const status = fc.oneof(
  often(12, fc.constant(0x0c)),
  often(3, fc.constant(0x4c)),
  often(3, fc.constantFrom(0x0e, 0x0d, 0x1c, 0x2c, 0x8c, 0x02, 0x10, 0x50, 0x00, 0x08, 0x48, 0x04, 0x0a)),
);

const moved = fc.oneof(
  often(30, fc.integer({ min: 1, max: 40 })),
  often(1, fc.constant(0)),
  often(1, fc.constantFrom(2048, 4096)),
);

const step: fc.Arbitrary<Step> = fc.record({
  acts: fc.array(fc.oneof(often(8, moved), often(1, fc.constantFrom("accept" as const, "rest" as const))), {
    maxLength: 3,
  }),
  status,
  channelStatus: fc.constantFrom(...Array<number>(20).fill(0), 0x01, 0x08),
  sense: fc.array(fc.nat(255), { maxLength: 3 }),
  later: fc.constantFrom(null, null, 0x04, 0x44, 0x06, 0x00),
});

/** A word of an IDAW list: the start of a block, or nearly. */
const indirect = fc.oneof(
  often(
    8,
    fc.integer({ min: 2, max: size / 2048 - 1 }).map((block) => block * 2048),
  ),
  often(
    4,
    fc.integer({ min: 3, max: size / 2048 }).map((block) => block * 2048 - 1),
  ),
  often(3, fc.integer({ min: 0x1000, max: size - 1 })),
  often(1, fc.constantFrom(size, 0x8000_1000, 0x7fff_f800)),
);

const storageKey = fc.record({
  key: fc.constantFrom(3, 3, 3, 5),
  fetch: fc.constantFrom(true, false, false),
});

export const scenarios: fc.Arbitrary<Scenario> = fc
  .record({
    program: fc.array(slot, { minLength: 1, maxLength: slots }),
    indirects: fc.array(indirect, { minLength: lists, maxLength: lists }),
    fill: fc.nat(255),
    keys: fc.array(storageKey, { minLength: blocks, maxLength: blocks }),
    steps: fc.array(step, { minLength: 1, maxLength: 6 }),
    resumes: fc.array(fc.constantFrom("cleared" as const, "cleared" as const, "left" as const), {
      maxLength: 3,
    }),
    controls: fc.record({
      cpa: fc.oneof(
        often(20, fc.constant(programAt)),
        often(1, fc.constantFrom(0x104, size, size - 8, 0x100_0000, 0x8000_0000)),
      ),
      key: fc.constantFrom(0, 3, 3, 5),
      format: fc.constantFrom(0 as const, 1 as const),
      suspend: fc.constantFrom(true, true, false),
      initialStatus: fc.boolean(),
      idawFormat: fc.constantFrom(1 as const, 2 as const),
      idawBlock: fc.constantFrom(2048 as const, 4096 as const),
      ils: fc.boolean(),
      limit: fc.constantFrom(60, 60, 5),
    }),
  })
  .map(({ controls, ...rest }) => {
    const idawBlock = controls.idawFormat === 1 ? 2048 : controls.idawBlock;
    return { ...rest, controls: { ...controls, idawBlock } };
  });

const byte = fc.nat(255);

/** Storage full of anything, and a device that says anything. */
export const noise = fc
  .record({
    bytes: fc.uint8Array({ minLength: 512, maxLength: 512 }),
    keys: fc.array(fc.record({ key: fc.nat(15), fetch: fc.boolean() }), { minLength: 2, maxLength: 2 }),
    steps: fc.array(
      fc.record({
        acts: fc.array(fc.oneof(fc.nat(600), fc.constantFrom("accept" as const, "rest" as const)), {
          maxLength: 4,
        }),
        status: byte,
        channelStatus: fc.oneof(often(4, fc.constant(0)), often(1, byte)),
        sense: fc.array(byte, { maxLength: 40 }),
        later: fc.option(byte),
      }),
      { minLength: 1, maxLength: 5 },
    ),
    resumes: fc.array(fc.constantFrom("cleared" as const, "left" as const), { maxLength: 4 }),
    controls: fc.record({
      cpa: fc.oneof(
        often(
          4,
          fc.nat(1023).map((word) => word * 8),
        ),
        often(1, fc.nat(2 ** 32 - 1)),
      ),
      key: fc.nat(15),
      format: fc.constantFrom(0 as const, 1 as const),
      suspend: fc.boolean(),
      initialStatus: fc.boolean(),
      idawFormat: fc.constantFrom(1 as const, 2 as const),
      idawBlock: fc.constantFrom(2048 as const, 4096 as const),
      ils: fc.boolean(),
      limit: fc.nat(200),
    }),
  })
  .map(({ bytes, controls, keys, steps, resumes }) => {
    const memory = new Uint8Array(8192);
    for (let at = 0; at < memory.length; at += bytes.length) memory.set(bytes, at);
    return { machine: { memory, keys, steps }, controls, resumes };
  });

/** What a scenario says, laid out in storage. */
export function machineOf({ program, indirects, fill, keys, steps, controls }: Scenario): Machine {
  const memory = Uint8Array.from({ length: size }, (_, at) => (at * 7 + fill) % 256);
  memory.fill(0, 0, 0x1000);
  for (const [index, entry] of program.entries()) {
    memory.set(encode(entry, controls.format), programAt + index * 8);
  }
  const view = new DataView(memory.buffer);
  for (const [index, word] of indirects.entries()) {
    if (controls.idawFormat === 1) view.setUint32(listsAt + index * 4, word);
    else view.setBigUint64(listsAt + index * 8, BigInt(word));
  }
  return { memory, keys, steps };
}

function encode({ cmd, flags: bits, count: length, cda }: Slot, format: 0 | 1): Uint8Array {
  return format === 0
    ? ccw0.encode({ cmd, flags: bits, count: length, cda: cda % 2 ** 24 })
    : ccw1.encode({ cmd, flags: bits, count: length, cda });
}
