import assert from "node:assert/strict";
import { test } from "node:test";
import { DiskImage } from "./disk-image.js";
import { isImageError } from "./error.js";
import { headerSize } from "./header.js";
import { herculesDisk } from "./hercules.test.fixture.js";
import { encodeTrack, type Track } from "./track.js";

const name = "loaded.ckd";
const first = 20;

const open = (disk = herculesDisk(name), cachedTracks = 64) =>
  DiskImage.open(name, { access: "read-write", disk, cachedTracks });

const isThere = (answer: Track | Promise<Track>): boolean => !(answer instanceof Promise);

test("tracks that are likely to be wanted come with the first, and are what is in the file", async () => {
  const image = await open();
  const alone = await open(herculesDisk(name));
  await image.content(first, 4);
  for (let track = first; track <= first + 4; track += 1) {
    const found = image.content(track);
    assert.ok(isThere(found), `track ${track}`);
    assert.deepEqual(encodeTrack(await found), encodeTrack(await alone.read(track)));
  }
  const behind = image.content(first + 5);
  assert.ok(!isThere(behind));
  await behind;
  await image.close();
  await alone.close();
});

test("no more is read ahead than there is room for, or than the disk has", async () => {
  const image = await open(herculesDisk(name), 2);
  await image.content(first, 7);
  assert.ok(isThere(image.content(first + 1)));
  const third = image.content(first + 2);
  assert.ok(!isThere(third));
  await third;
  const last = image.geometry.tracks - 1;
  assert.equal((await image.content(last, 7)).home.cylinder, Math.floor(last / image.geometry.heads));
  await image.close();
});

test("a track that is written while it is read ahead stays as it was written", async () => {
  const image = await open();
  const other = await image.read(first + 1);
  const [zero] = other.records;
  assert.ok(zero !== undefined);
  await image.close();
  const again = await open();
  const reading = again.content(first, 4);
  const written = { home: other.home, records: [{ ...zero, data: new Uint8Array(8).fill(0xab) }] };
  await again.write(first + 1, written);
  await reading;
  assert.equal(await again.content(first + 1), written);
  await again.flush();
  assert.equal(await again.content(first + 1), written);
  await again.close();
});

test("a damaged track fails who asks for it, and not who reads one before it", async () => {
  const disk = herculesDisk(name);
  const { geometry } = await DiskImage.open(name, { access: "read-only", disk });
  const bytes = Buffer.from(disk.get(name) as Buffer);
  const at = headerSize + (first + 2) * geometry.trackSize;
  bytes[at + 2] = (bytes[at + 2] as number) ^ 0x40;
  disk.put(name, bytes);
  const image = await open(disk);
  await image.content(first, 4);
  assert.ok(isThere(image.content(first + 1)));
  assert.ok(isThere(image.content(first + 3)));
  await assert.rejects(
    image.read(first + 2),
    (error) => isImageError(error, "image-track") && error.offset === at,
  );
  await image.close();
});

test("where the file ends too soon, what is whole is read", async () => {
  const disk = herculesDisk(name);
  const image = await open(disk);
  const { trackSize } = image.geometry;
  const bytes = Buffer.from(disk.get(name) as Buffer);
  const file = await disk.open(name, "read-write");
  await file.truncate(headerSize + (first + 2) * trackSize + 100);
  await image.content(first, 4);
  assert.ok(isThere(image.content(first + 1)));
  await assert.rejects(image.read(first + 2), (error) => isImageError(error, "image-truncated"));
  disk.put(name, bytes);
});
