import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { Cstat, ccw0, ccw1 } from "parhelion-buses";
import type { Answer, MainStorage } from "../storage/index.js";
import { decodeCcw } from "./ccw.js";
import { dataAt, done, ended, programAt, Rig, summary } from "./program.test.fixture.js";

const write = 0x01;
const read = 0x02;
const readBackward = 0x0c;

function sends(length: number) {
  const bytes = Uint8Array.from({ length }, (_, index) => index + 1);
  return {
    [read]: async (data: { send(bytes: Uint8Array): Answer<number> }) => {
      await data.send(bytes);
      return done;
    },
    [readBackward]: async (data: { send(bytes: Uint8Array): Answer<number> }) => {
      await data.send(bytes);
      return done;
    },
  };
}

/** Goes on for ever, all zeros but for the program. */
function boundless(rig: Rig, written: number[]): MainStorage {
  return {
    read: (address, length) =>
      address < rig.storage.size ? rig.storage.read(address, length, 0) : new Uint8Array(length),
    write: (address, bytes) => {
      written.push(address, bytes.length);
    },
  };
}

describe("a CCW", () => {
  it("is decoded as its layout has it", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 8, maxLength: 8 }), (bytes) => {
        for (const format of [0, 1] as const) {
          const { cmd: code, flags, count, cda: data } = (format === 0 ? ccw0 : ccw1).decode(bytes);
          assert.deepEqual(decodeCcw(bytes, format, 8), { address: 8, code, flags, count, data });
        }
      }),
    );
  });
});

describe("direct addresses", () => {
  it("end where the format's addresses end", async () => {
    for (const { format, last } of [
      { format: 0, last: 0xff_ffff },
      { format: 1, last: 0x7fff_ffff },
    ] as const) {
      const rig = new Rig(sends(4));
      const written: number[] = [];
      const ccws = [{ cmd: read, count: 4, cda: last - 1 }];
      const end = ended(await rig.program(ccws, { format }, {}, boundless(rig, written)).run());
      assert.deepEqual(summary(end), {
        ccws: 1,
        count: 2,
        dstat: done,
        cstat: Cstat.PROG_CHECK,
        deferred: 0,
      });
      assert.deepEqual(written, [last - 1, 2]);
    }
  });

  it("go down for reading backward", async () => {
    const rig = new Rig(sends(5));
    const end = await rig.run([
      { cmd: readBackward, flags: ["CD"], count: 3, cda: dataAt + 1 },
      { cmd: 0, count: 2, cda: dataAt + 17 },
    ]);
    assert.equal(end.cstat, 0);
    assert.deepEqual([...rig.storage.bytes.subarray(dataAt - 1, dataAt + 2)], [3, 2, 1]);
    assert.deepEqual([...rig.storage.bytes.subarray(dataAt + 16, dataAt + 18)], [5, 4]);
  });

  it("are not looked at for what is skipped", async () => {
    const rig = new Rig(sends(5));
    const end = await rig.run([{ cmd: read, flags: ["SKIP", "IDA"], count: 5, cda: 3 }]);
    assert.deepEqual(summary(end), { ccws: 1, count: 0, dstat: done, cstat: 0, deferred: 0 });
  });
});

describe("indirect addresses", () => {
  const cases = [
    { name: "format 1", controls: { idawFormat: 1, idawBlock: 2048 }, width: 4, block: 2048 },
    { name: "format 2, 2 KiB", controls: { idawFormat: 2, idawBlock: 2048 }, width: 8, block: 2048 },
    { name: "format 2, 4 KiB", controls: { idawFormat: 2, idawBlock: 4096 }, width: 8, block: 4096 },
  ] as const;
  for (const { name, controls, width, block } of cases) {
    it(`go from block to block: ${name}`, async () => {
      let seen = new Uint8Array();
      const rig = new Rig({
        [write]: async (data) => {
          seen = Uint8Array.from(await data.receive(block + 20));
          return done;
        },
      });
      const first = 0x5000 + block - 10;
      const places = [first, 0x2000, 0x4000];
      const view = new DataView(rig.storage.bytes.buffer);
      for (const [index, place] of places.entries()) {
        if (width === 4) view.setUint32(0x800 + index * 4, place);
        else view.setBigUint64(0x800 + index * 8, BigInt(place));
      }
      for (let index = 0; index < 0x8000 - 0x2000; index += 1) {
        rig.storage.bytes[0x2000 + index] = (index * 31 + (index >> 8)) & 0xff;
      }
      const end = await rig.run([{ cmd: write, flags: ["IDA"], count: block + 20, cda: 0x800 }], controls);
      assert.deepEqual(summary(end), { ccws: 1, count: 0, dstat: done, cstat: 0, deferred: 0 });
      const at = (from: number, length: number) => [...rig.storage.bytes.subarray(from, from + length)];
      assert.deepEqual([...seen], [...at(first, 10), ...at(0x2000, block), ...at(0x4000, 10)]);
    });
  }

  it("are in reach of format 2 beyond what CCWs can name", async () => {
    const rig = new Rig(sends(3));
    const written: number[] = [];
    new DataView(rig.storage.bytes.buffer).setBigUint64(0x800, 0x12_3456_7000n);
    const program = rig.program(
      [{ cmd: read, flags: ["IDA"], count: 3, cda: 0x800 }],
      { idawFormat: 2 },
      {},
      boundless(rig, written),
    );
    assert.equal(ended(await program.run()).cstat, 0);
    assert.deepEqual(written, [0x12_3456_7000, 3]);
  });

  it("must be on their own boundary", async () => {
    for (const [idawFormat, at] of [
      [1, 0x802],
      [2, 0x804],
    ] as const) {
      const rig = new Rig(sends(3));
      const view = new DataView(rig.storage.bytes.buffer);
      if (idawFormat === 1) view.setUint32(at, dataAt);
      else view.setBigUint64(at, BigInt(dataAt));
      const end = await rig.run([{ cmd: read, flags: ["IDA"], count: 3, cda: at }], { idawFormat });
      assert.deepEqual(summary(end), {
        ccws: 1,
        count: 3,
        dstat: done,
        cstat: Cstat.PROG_CHECK,
        deferred: 0,
      });
    }
  });

  it("that no number can hold are a program check", async () => {
    const rig = new Rig(sends(3));
    rig.storage.bytes.fill(0xff, 0x800, 0x808);
    const written: number[] = [];
    const ccws = [{ cmd: read, flags: ["IDA"], count: 3, cda: 0x800 }] as const;
    const end = ended(await rig.program(ccws, { idawFormat: 2 }, {}, boundless(rig, written)).run());
    assert.deepEqual(summary(end), { ccws: 1, count: 3, dstat: done, cstat: Cstat.PROG_CHECK, deferred: 0 });
    assert.deepEqual(written, []);
  });
});

describe("storage keys", () => {
  it("stop data at the block that the key does not open", async () => {
    const rig = new Rig(sends(8));
    rig.storage.setKey(0, { accessControl: 0, protects: "stores" });
    rig.storage.setKey(dataAt, { accessControl: 9, protects: "stores" });
    const end = await rig.run([{ cmd: read, count: 8, cda: dataAt + 0xffc }], { key: 9 });
    assert.deepEqual(summary(end), { ccws: 1, count: 4, dstat: done, cstat: Cstat.PROT_CHECK, deferred: 0 });
    assert.deepEqual(
      [...rig.storage.bytes.subarray(dataAt + 0xffc, dataAt + 0x1004)],
      [1, 2, 3, 4, 0, 0, 0, 0],
    );
  });

  it("point at a CCW that may not be fetched, even behind a transfer", async () => {
    const rig = new Rig();
    rig.storage.setKey(dataAt, { accessControl: 9, protects: "stores-and-fetches" });
    const ccws = [
      { cmd: 0x03, flags: ["CC"] },
      { cmd: 0x08, cda: dataAt + 8 },
    ] as const;
    const end = await rig.run(ccws, { key: 3 });
    assert.equal(end.cstat, Cstat.PROT_CHECK);
    assert.equal(end.cpa, dataAt + 16);
    const beyond = [
      { cmd: 0x03, flags: ["CC"] },
      { cmd: 0x08, cda: 0x10_0000 },
    ] as const;
    const lost = await rig.run(beyond, { key: 3 });
    assert.equal(lost.cstat, Cstat.PROG_CHECK);
    assert.equal(lost.cpa, programAt + 16);
  });
});
