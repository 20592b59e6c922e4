#!/usr/bin/env node
/**
 * Compares what Parhelion reads of disk images with what Hercules' programs print: tracks with dasdcopy, lists with dasdls, datasets with
 * dasdcat and dasdseq; then writes tracks and has cckdcdsk look at the result. Exits with 1 at the first difference.
 *
 * Usage: node compare.mjs DIRECTORY     where make-images.sh made the images
 * Needs dasdls, dasdcat, dasdseq, dasdcopy, cckdcdsk (Debian package hercules) and the built package; skips nothing.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import {
  DiskImage,
  datasetMembers,
  datasetRecords,
  encodeTrack,
  fromEbcdic,
  volumeDatasets,
  volumeLabel,
} from "parhelion-ccw";

const directory = resolve(process.argv[2] ?? ".");
const scratch = mkdtempSync(join(tmpdir(), "parhelion-compare-"));
const say = (text) => process.stdout.write(`${text}\n`);

/** Hercules' programs say their names on standard error, and most of them end with 0 whatever happened. */
function hercules(program, ...words) {
  const { error, stdout, stderr, status } = spawnSync(program, words, { cwd: scratch, maxBuffer: 1 << 28 });
  if (error !== undefined) throw new Error(`${program} can't be run: ${error.message}`);
  return { out: stdout, text: stdout.toString("latin1"), err: stderr.toString("latin1"), status };
}

const open = (name) => DiskImage.open(join(directory, name), { access: "read-only" });

async function compareTracks(name, cylinders) {
  const copy = join(scratch, "copy.ckd");
  rmSync(copy, { force: true });
  hercules("dasdcopy", "-o", "CKD", "-cyl", String(cylinders), join(directory, name), copy);
  const bytes = readFileSync(copy);
  const image = await open(name);
  const { heads, trackSize } = image.geometry;
  const tracks = cylinders * heads;
  assert.equal(bytes.length, 512 + tracks * trackSize, `${name}: dasdcopy's file`);
  for (let track = 0; track < tracks; track += 1) {
    const mine = encodeTrack(await image.read(track));
    const theirs = bytes.subarray(512 + track * trackSize, 512 + track * trackSize + mine.length);
    assert.ok(Buffer.compare(mine, theirs) === 0, `${name}: track ${track} differs`);
  }
  await image.close();
  say(`${name}: ${tracks} tracks are those of dasdcopy`);
}

async function compareDatasets(name) {
  const path = join(directory, name);
  const image = await open(name);
  const [first, ...lines] = hercules("dasdls", "-info", "-dsnl=44", path).text.trim().split("\n");
  assert.ok(first.endsWith(`VOLSER=${(await volumeLabel(image)).serial}`), first);
  const datasets = await volumeDatasets(image);
  assert.deepEqual(
    datasets.map((each) => each.name),
    lines.map((line) => line.split(/\s/)[0]),
  );
  for (const [index, dataset] of datasets.entries()) {
    const words = lines[index].trim().split(/\s+/);
    const numbers = [dataset.blockSize, dataset.keyLength, dataset.tracks].map(String);
    const length = dataset.recordLength === 0 ? [] : [String(dataset.recordLength)];
    const mine = [dataset.organization, dataset.recordFormat, ...length, ...numbers];
    assert.deepEqual(words.slice(2, 2 + mine.length), mine, dataset.name);
    if (dataset.organization === "PO") await compareMembers(image, path, dataset);
    else await compareSequential(image, path, dataset);
  }
  await image.close();
  say(`${name}: ${datasets.length} datasets are those of dasdls, dasdcat and dasdseq`);
}

async function textOf(image, dataset, from) {
  let text = "";
  for await (const record of datasetRecords(image, dataset, from))
    text += `${fromEbcdic(record).trimEnd()}\n`;
  return text;
}

async function compareMembers(image, path, dataset) {
  const members = await datasetMembers(image, dataset);
  const listed = hercules("dasdcat", "-i", path, `${dataset.name}/?`).text.trim();
  assert.deepEqual(
    members.map(({ name }) => name.toLowerCase()),
    listed === "" ? [] : listed.split("\n"),
  );
  for (const member of members) {
    const { text } = hercules("dasdcat", "-i", path, `${dataset.name}/${member.name}:ac`);
    assert.equal(await textOf(image, dataset, member), text, `${dataset.name}(${member.name})`);
  }
}

async function compareSequential(image, path, dataset) {
  if (dataset.recordFormat[0] !== "F") return;
  const file = join(scratch, dataset.name);
  rmSync(file, { force: true });
  hercules("dasdseq", "-ascii", path, dataset.name);
  assert.equal(await textOf(image, dataset), readFileSync(file, "latin1"), dataset.name);
}

/** Grows, rewrites, empties and shrinks, and has Hercules check the file. */
async function compareWriting(name) {
  const path = join(scratch, "written.cckd");
  copyFileSync(join(directory, name), path);
  const contents = new Map();
  for (let round = 1; round <= 4; round += 1) {
    const image = await DiskImage.open(path, { access: "read-write" });
    const { heads, tracks } = image.geometry;
    for (let at = 100; at < Math.min(tracks, 900); at += round) {
      const home = { cylinder: Math.floor(at / heads), head: at % heads };
      const record = (number, length) => ({
        ...home,
        record: number,
        key: new Uint8Array(0),
        data: Uint8Array.from({ length }, (_, index) => (index * round * at) >> 3),
      });
      const length = (at * 7919 * round) % 40_000;
      const records = [record(0, 8), ...((at + round) % 7 === 0 ? [] : [record(1, length)])];
      records[0].data.fill(0);
      const track = { home, records };
      await image.write(at, track);
      contents.set(at, encodeTrack(track));
    }
    await image.close();
    const { text, status } = hercules("cckdcdsk", "-2", path);
    assert.deepEqual([text.trim(), status], ["", 0], `${name}: cckdcdsk after round ${round}`);
  }
  const image = await DiskImage.open(path, { access: "read-only" });
  for (const [track, bytes] of contents)
    assert.ok(Buffer.compare(encodeTrack(await image.read(track)), bytes) === 0, `track ${track}`);
  const { fileBytes, usedBytes, freeExtents } = await image.space();
  await image.close();
  copyFileSync(path, join(directory, `written-${name}`));
  await compareTracks(`written-${name}`, 60);
  rmSync(join(directory, `written-${name}`));
  say(
    `${name}: written in 4 rounds, cckdcdsk finds nothing; ${usedBytes} of ${fileBytes} bytes used, ${freeExtents} gaps`,
  );
}

/** Writes what is there once more, and some tracks of its own, and has Hercules read the volume and every dataset again. */
async function compareRewritten(name, cylinders) {
  const path = join(directory, `rewritten-${name}`);
  copyFileSync(join(directory, name), path);
  const image = await DiskImage.open(path, { access: "read-write" });
  const { heads } = image.geometry;
  const used = new Set();
  for (const { extents } of await volumeDatasets(image))
    for (const { first, last } of extents) for (let at = first; at <= last; at += 1) used.add(at);
  let own = 0;
  for (let at = 0; at < cylinders * heads; at += 1) {
    const track = await image.read(at);
    await image.write(at, track);
    if (at < 1 || used.has(at) || (at + 1) % 3 !== 0) continue;
    const key = Uint8Array.from({ length: 8 }, (_, index) => at + index);
    const data = Uint8Array.from({ length: 20_000 }, (_, index) => (index * at) >> 2);
    await image.write(at, {
      ...track,
      records: [...track.records.slice(0, 1), { ...track.home, record: 1, key, data }],
    });
    own += 1;
  }
  await image.close();
  await compareDatasets(`rewritten-${name}`);
  await compareTracks(`rewritten-${name}`, cylinders);
  if (name.endsWith(".cckd")) {
    const { text, status } = hercules("cckdcdsk", "-3", path);
    assert.deepEqual([text.trim(), status], ["", 0], `${name}: cckdcdsk after rewriting`);
  }
  rmSync(path);
  say(
    `${name}: ${cylinders * heads} tracks written again and ${own} with other content, and Hercules reads it as before`,
  );
}

/** An image of several files: what dasdcopy makes of them is one. */
async function compareSplit(name, cylinders, step) {
  const copy = join(scratch, "split.cckd");
  const writer = await DiskImage.open(join(directory, name), { access: "read-write" });
  // Some everywhere, so that some are on both sides of where the second file begins.
  for (let at = 500; at < cylinders * 15; at += step * 100) {
    const { home, records } = await writer.read(at);
    const record = { ...home, record: 1, key: new Uint8Array(0), data: new Uint8Array(9000).fill(at & 0xff) };
    await writer.write(at, { home, records: [...records.slice(0, 1), record] });
  }
  await writer.close();
  rmSync(copy, { force: true });
  hercules("dasdcopy", "-o", "CCKD", "-z", join(directory, name), copy);
  const image = await open(name);
  const theirs = await DiskImage.open(copy, { access: "read-only" });
  const { files } = image.format;
  assert.ok(files.length > 1, `${name} is one file`);
  assert.equal(image.geometry.cylinders, cylinders);
  assert.equal(theirs.geometry.cylinders, cylinders);
  let compared = 0;
  for (let at = 0; at < image.geometry.tracks; at += step, compared += 1)
    assert.ok(
      Buffer.compare(encodeTrack(await image.read(at)), encodeTrack(await theirs.read(at))) === 0,
      `${name}: track ${at} differs`,
    );
  await image.close();
  await theirs.close();
  say(`${name}: ${files.length} files, ${compared} of ${cylinders * 15} tracks are those of dasdcopy`);
}

try {
  for (const name of ["loaded.ckd", "loaded-zlib.cckd", "loaded-bzip2.cckd"]) {
    await compareDatasets(name);
    await compareTracks(name, 4);
    await compareRewritten(name, 4);
  }
  await compareSplit("split_1.ckd", 3339, 7);
  for (const [name, cylinders] of [
    ["plain.ckd", 2],
    ["small-3380.ckd", 1],
    ["zlib.cckd", 3],
    ["bzip2.cckd", 3],
    ["none.cckd", 3],
    ["linux.cckd", 3],
    ...[1, 2, 3, 9, 27, 54].map((model) => [`m${model}.cckd`, 2]),
  ])
    await compareTracks(name, cylinders);
  for (const name of ["loaded-zlib.cckd", "loaded-bzip2.cckd", "none.cckd", "linux.cckd", "m54.cckd"])
    await compareWriting(name);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
