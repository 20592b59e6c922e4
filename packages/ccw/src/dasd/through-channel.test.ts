/** The 3390 behind a subchannel, with real channel programs: what their status says in the end. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { CcwFlag, Cstat, ccw1, Dstat, type Irb } from "parhelion-buses";
import { DiskImage } from "../image/disk-image.js";
import { fromEbcdic } from "../image/ebcdic.js";
import { herculesDisk } from "../image/hercules.test.fixture.js";
import { Rig } from "../subsystem/machine.test.fixture.js";
import { Dasd3390 } from "./dasd-3390.js";

const programAt = 0x1000;
const parametersAt = 0x2000;
const dataAt = 0x4000;
const chain = CcwFlag.CC;

type Word = readonly [cmd: number, flags: number, count: number, cda: number];

async function machine() {
  const files = herculesDisk("loaded.ckd");
  const image = await DiskImage.open("loaded.ckd", { access: "read-write", disk: files });
  const rig = new Rig({}, { device: new Dasd3390(image) });
  const { bytes } = rig.storage;
  const run = async (...words: readonly Word[]): Promise<Irb> => {
    for (const [index, [cmd, flags, count, cda]] of words.entries())
      bytes.set(ccw1.encode({ cmd, flags, count, cda }), programAt + 8 * index);
    const before = rig.interruptions.length;
    assert.equal(rig.start(), 0);
    for (let turn = 0; rig.interruptions.length === before && turn < 10_000; turn += 1) await rig.quiet();
    return rig.collect();
  };
  return { files, image, rig, bytes, run };
}

const seek: Word = [0x07, chain, 6, parametersAt];
const search: Word = [0x31, chain, 5, parametersAt + 8];
const again: Word = [0x08, 0, 0, programAt + 8];

/** Where seek and search go. */
function aim(bytes: Uint8Array, cylinder: number, head: number, record: number): void {
  bytes.set([0, 0, 0, cylinder, 0, head], parametersAt);
  bytes.set([0, cylinder, 0, head, record], parametersAt + 8);
}

test("a search is repeated by a branch until it is satisfied, and the residual count tells what a read left", async () => {
  const { bytes, run } = await machine();
  aim(bytes, 0, 0, 3);
  const irb = await run(seek, search, again, [0x06, CcwFlag.SLI, 100, dataAt]);
  assert.deepEqual([irb.scsw.dstat, irb.scsw.cstat, irb.scsw.count], [Dstat.CHN_END | Dstat.DEV_END, 0, 20]);
  assert.equal(fromEbcdic(bytes.subarray(dataAt, dataAt + 10)), "VOL1PHL001");
  const long = await run(seek, search, again, [0x06, 0, 100, dataAt]);
  assert.deepEqual([long.scsw.cstat, long.scsw.count], [Cstat.INCORR_LEN, 20]);
});

test("no record found comes as unit check with sense in the interruption response", async () => {
  const { bytes, run, rig } = await machine();
  rig.modify({ csense: 1 });
  aim(bytes, 0, 0, 77);
  const irb = await run(seek, search, again, [0x06, 0, 80, dataAt]);
  assert.equal(irb.scsw.dstat & Dstat.UNIT_CHECK, Dstat.UNIT_CHECK);
  assert.equal(irb.ecw[1], 0x08);
});

test("a disk that is full when the program ends makes its ending a unit check", async () => {
  const { bytes, run, files, image } = await machine();
  aim(bytes, 2, 2, 1);
  files.limit = 10;
  const update: Word = [0x05, 0, 1330, dataAt];
  const failed = await run(seek, search, again, update);
  assert.equal(failed.scsw.dstat & Dstat.UNIT_CHECK, Dstat.UNIT_CHECK);
  const sensed = await run([0x04, 0, 32, parametersAt + 64]);
  assert.equal(sensed.scsw.dstat, Dstat.CHN_END | Dstat.DEV_END);
  assert.deepEqual([...bytes.subarray(parametersAt + 64, parametersAt + 66)], [0x10, 0x82]);
  files.limit = Number.POSITIVE_INFINITY;
  assert.equal((await run(seek, search, again, update)).scsw.dstat, Dstat.CHN_END | Dstat.DEV_END);
  assert.equal(image.changedTracks, 0);
});
