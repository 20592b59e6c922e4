import assert from "node:assert/strict";
import { test } from "node:test";
import { datasetMembers, datasetRecords } from "./dataset-blocks.js";
import { DiskImage } from "./disk-image.js";
import type { VolumeDataset } from "./dscb.js";
import { fromEbcdic } from "./ebcdic.js";
import { type HerculesImage, herculesDisk, herculesFile } from "./hercules.test.fixture.js";
import { encodeTrack } from "./track.js";
import { volumeDatasets, volumeLabel } from "./volume.js";

const opened = (name: HerculesImage) =>
  DiskImage.open(name, { access: "read-only", disk: herculesDisk(name) });

/** The table of contents says how big the volume is, and the uncompressed one has four cylinders. */
const contentsTrack = 43;

test("the same volume reads the same plain, packed with zlib or bzip2, and with big-endian tables", async () => {
  const plain = await opened("loaded.ckd");
  const zlib = await opened("loaded-zlib.cckd");
  const bzip2 = await opened("loaded-bzip2.cckd");
  const swapped = await opened("loaded-swapped.cckd");
  assert.equal(plain.geometry.tracks, 60);
  for (let track = 0; track < plain.geometry.tracks; track += 1) {
    const one = encodeTrack(await zlib.read(track));
    assert.ok(Buffer.compare(one, encodeTrack(await bzip2.read(track))) === 0, `bzip2, track ${track}`);
    assert.ok(
      Buffer.compare(one, encodeTrack(await swapped.read(track))) === 0,
      `big-endian, track ${track}`,
    );
    if (track === contentsTrack) continue;
    assert.ok(Buffer.compare(one, encodeTrack(await plain.read(track))) === 0, `plain, track ${track}`);
  }
});

test("every track of an image of Linux tracks is what dasdcopy makes of it", async () => {
  const packed = await opened("linux.cckd");
  const copied = await opened("linux-copied.ckd");
  for (let track = 0; track < copied.geometry.tracks; track += 1) {
    const one = encodeTrack(await packed.read(track));
    assert.ok(Buffer.compare(one, encodeTrack(await copied.read(track))) === 0, `track ${track}`);
  }
  const last = await packed.read(packed.geometry.tracks - 1);
  assert.equal(last.records.length, 13);
});

test("geometry, format and use of space are told", async () => {
  const zlib = await opened("loaded-zlib.cckd");
  assert.equal(zlib.geometry.model.name, "3390-1");
  assert.equal(zlib.geometry.cylinders, 1113);
  assert.deepEqual(zlib.format, {
    kind: "compressed",
    files: ["loaded-zlib.cckd"],
    compression: "zlib",
    state: "closed",
  });
  const space = await zlib.space();
  assert.equal(space.fileBytes, herculesFile("loaded-zlib.cckd.gz").length);
  assert.equal(space.usedBytes + space.freeBytes, space.fileBytes);
  const small = await opened("small-3380.ckd");
  assert.equal(small.geometry.type.type, 0x3380);
  assert.equal(small.geometry.tracks, 15);
  assert.equal((await volumeLabel(small))?.serial, "SMALL1");
  assert.equal(await volumeLabel(await opened("none.cckd")), undefined);
});

/** As dasdls prints a line with -info -dsnl=44 -caldt. */
function line(dataset: VolumeDataset): readonly string[] {
  const { name, organization, recordFormat, recordLength, blockSize, keyLength, tracks, extents } = dataset;
  const { year, day } = dataset.created ?? { year: 0, day: 0 };
  const date = new Date(Date.UTC(year, 0, day));
  const month = date.toLocaleString("en", { month: "short", timeZone: "UTC" });
  const created = `${year}${month}${String(date.getUTCDate()).padStart(2, "0")}`;
  const length = recordLength === 0 ? [] : [`${recordLength}`];
  return [
    name,
    created,
    organization,
    recordFormat,
    ...length,
    `${blockSize}`,
    `${keyLength}`,
    `${tracks}`,
    `${extents.length}`,
  ];
}

test("the datasets are those that dasdls lists", async () => {
  const image = await opened("loaded.ckd");
  const told = herculesFile("dasdls.txt").toString().trim().split("\n").slice(1);
  const datasets = await volumeDatasets(image);
  assert.equal(datasets.length, told.length);
  for (const [index, dataset] of datasets.entries()) {
    const words = (told[index] as string).trim().split(/\s+/);
    const mine = line(dataset);
    // Behind the tracks dasdls has the percentage used, then the number of extents.
    const { length } = mine;
    assert.deepEqual([...words.slice(0, length - 1), words[length]], mine, dataset.name);
  }
});

async function text(image: DiskImage, dataset: VolumeDataset, from?: { track: number; record: number }) {
  let lines = "";
  for await (const record of datasetRecords(image, dataset, from))
    lines += `${fromEbcdic(record).trimEnd()}\n`;
  return lines;
}

test("members and their text are those that dasdcat prints", async () => {
  const image = await opened("loaded-zlib.cckd");
  const library = (await volumeDatasets(image)).find(
    ({ organization }) => organization === "PO",
  ) as VolumeDataset;
  const members = await datasetMembers(image, library);
  const told = herculesFile("dasdcat-members.txt").toString().trim().split("\n");
  assert.deepEqual(
    members.map(({ name }) => name.toLowerCase()),
    told,
  );
  for (const [member, file] of [
    ["HELLO", "dasdcat-hello.txt"],
    ["TWIN", "dasdcat-hello.txt"],
    ["MIXED", "dasdcat-mixed.txt"],
    ["LONG", "dasdcat-long.txt.gz"],
  ] as const) {
    const found = members.find(({ name }) => name === member);
    assert.equal(found?.kind, member === "TWIN" ? "alias" : "member");
    assert.equal(await text(image, library, found), herculesFile(file).toString("latin1"), member);
  }
});

test("sequential datasets are what dasdseq writes", async () => {
  const image = await opened("loaded-bzip2.cckd");
  const datasets = await volumeDatasets(image);
  for (const name of ["CARDS", "WIDE"]) {
    const dataset = datasets.find((each) => each.name === `PARHEL.TEST.${name}`) as VolumeDataset;
    assert.equal(await text(image, dataset), herculesFile(`dasdseq-${name}.txt.gz`).toString("latin1"));
  }
});
