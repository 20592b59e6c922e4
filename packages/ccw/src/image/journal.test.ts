import assert from "node:assert/strict";
import { test } from "node:test";
import { crc32 } from "node:zlib";
import { DiskImage } from "./disk-image.js";
import { isImageError } from "./error.js";
import { herculesDisk, herculesFile } from "./hercules.test.fixture.js";
import type { Access, ImageFile } from "./image-file.js";
import { journalPath } from "./journal.js";
import { CrashError, MemoryDisk } from "./memory-disk.test.fixture.js";

const name = "loaded.ckd";
const label = 7;

/** What a writer leaves that dies when its journal is durable, and before the image is. */
async function interrupted(from = herculesDisk(name)): Promise<MemoryDisk> {
  for (let step = 1; step < 20; step += 1) {
    const disk = from.afterCrash(() => false);
    disk.crashAt = step;
    try {
      const image = await DiskImage.open(name, { access: "read-write", disk });
      const track = await image.read(label);
      const records = track.records.map((record) => ({
        ...record,
        data: record.data.map((byte) => byte ^ 0xff),
      }));
      await image.write(label, { ...track, records });
      await image.flush();
    } catch (error) {
      if (!(error instanceof CrashError)) throw error;
    }
    const after = disk.afterCrash(() => false);
    const image = await DiskImage.open(name, { access: "read-only", disk: after });
    if (image.format.state === "journal-pending") return after;
  }
  throw new Error("no step leaves a journal");
}

const zero = async (image: DiskImage) => Buffer.from((await image.read(label)).records[0]?.data ?? []);
const written = Buffer.alloc(8, 0xff);

test("who opens the image read-only reads what the journal holds, and changes neither", async () => {
  const disk = await interrupted();
  const before = [disk.get(name), disk.get(journalPath(name))];
  const image = await DiskImage.open(name, { access: "read-only", disk });
  assert.deepEqual(await zero(image), written);
  await image.close();
  assert.deepEqual([disk.get(name), disk.get(journalPath(name))], before);
});

test("who opens it for writing puts the journal into it, and removes it", async () => {
  const disk = await interrupted();
  const image = await DiskImage.open(name, { access: "read-write", disk });
  assert.deepEqual(await zero(image), written);
  await image.close();
  assert.deepEqual(disk.names(), [name]);
  const after = await DiskImage.open(name, { access: "read-only", disk });
  assert.deepEqual([await zero(after), after.format.state], [written, "closed"]);
});

/** Beside the reader of this disk a writer goes on, each time just before the reader looks for the journal. */
class Overtaken extends MemoryDisk {
  readonly #next: (() => Promise<ImageFile | undefined>)[];
  looks = 0;

  constructor(...next: (() => Promise<ImageFile | undefined>)[]) {
    super();
    this.#next = next;
  }

  override async openIfThere(path: string, access: Access): Promise<ImageFile | undefined> {
    this.looks += 1;
    return (await this.#next.shift()?.()) ?? super.openIfThere(path, access);
  }
}

test("a reader beside a writer finds the journal of the image as it is then", async () => {
  const before = await interrupted();
  const writer = await interrupted();
  await (await DiskImage.open(name, { access: "read-write", disk: writer })).close();
  const later = await interrupted(writer);
  const disk = new Overtaken(async () => {
    const image = await disk.open(name, "read-write");
    await image.write(0, later.get(name) as Buffer);
    disk.put(journalPath(name), later.get(journalPath(name)) as Buffer);
    return undefined;
  });
  disk.put(name, before.get(name) as Buffer);
  const image = await DiskImage.open(name, { access: "read-only", disk });
  assert.equal(image.format.state, "journal-pending");
  assert.equal(disk.looks, 2);
  await image.close();
});

test("a reader beside a writer that clears its journal while it is read looks again, but not for ever", async () => {
  const cleared = async (): Promise<ImageFile> => {
    const empty = new MemoryDisk();
    const file = await empty.openOrCreate(journalPath(name));
    return {
      path: file.path,
      size: async () => 500,
      read: (position, length) => file.read(position, length),
      readEach: (position, length, count) => file.readEach(position, length, count),
      write: async () => {},
      truncate: async () => {},
      sync: async () => {},
      identity: async () => "",
      close: async () => {},
    };
  };
  const disk = new Overtaken(cleared, cleared);
  disk.put(name, herculesFile(`${name}.gz`));
  const image = await DiskImage.open(name, { access: "read-only", disk });
  assert.equal(image.format.state, "closed");
  assert.equal(disk.looks, 3);
  const again = new Overtaken(...Array.from({ length: 1000 }, () => cleared));
  again.put(name, herculesFile(`${name}.gz`));
  await assert.rejects(DiskImage.open(name, { access: "read-only", disk: again }), (error) =>
    isImageError(error, "image-truncated"),
  );
  assert.ok(again.looks < 1000);
});

test("a journal that was cut off or changed anywhere counts for nothing", async () => {
  const journal = (await interrupted()).get(journalPath(name)) as Buffer;
  const damaged = [0, 1, 8, 12, 20, journal.length - 1].map((length) => journal.subarray(0, length));
  for (const at of [0, 9, 13, 17, 21, 30, journal.length - 1]) {
    const bytes = Buffer.from(journal);
    bytes[at] = (bytes[at] as number) ^ 1;
    damaged.push(bytes);
  }
  for (const bytes of damaged) {
    const disk = herculesDisk(name);
    disk.put(journalPath(name), bytes);
    const image = await DiskImage.open(name, { access: "read-write", disk });
    assert.deepEqual(await zero(image), Buffer.alloc(8));
    await image.close();
    assert.ok((disk.get(name) as Buffer).equals(herculesFile(`${name}.gz`)));
    assert.deepEqual(disk.names(), [name]);
  }
});

test("a journal that is whole and contradicts itself is refused with its place, and stays", async () => {
  const disk = await interrupted();
  const journal = Buffer.from(disk.get(journalPath(name)) as Buffer);
  journal.writeUInt32LE(9, 12);
  journal.writeUInt32LE(crc32(journal.subarray(12, journal.readUInt32LE(16))), 8);
  disk.put(journalPath(name), journal);
  for (const access of ["read-only", "read-write"] as const)
    await assert.rejects(
      DiskImage.open(name, { access, disk }),
      (error) => isImageError(error, "image-journal") && error.offset === journal.readUInt32LE(16),
    );
  assert.equal(disk.writes, 0);
});

async function refused(disk: MemoryDisk, at = name): Promise<void> {
  const before = [disk.get(at), disk.get(journalPath(at))];
  for (const access of ["read-only", "read-write"] as const)
    await assert.rejects(
      DiskImage.open(at, { access, disk }),
      (error) => isImageError(error, "image-journal") && error.file === journalPath(at),
    );
  assert.equal(disk.writes, 0);
  assert.deepEqual([disk.get(at), disk.get(journalPath(at))], before);
}

test("a journal is refused by an image that was never written here, and both stay", async () => {
  const journal = (await interrupted()).get(journalPath(name)) as Buffer;
  for (const at of ["other.ckd", name]) {
    const disk = new MemoryDisk();
    disk.put(at, herculesFile(`${name}.gz`));
    disk.put(journalPath(at), journal);
    await refused(disk, at);
  }
});

test("a journal is refused by an image that another disk's writers wrote, and both stay", async () => {
  const journal = (await interrupted()).get(journalPath(name)) as Buffer;
  const disk = await interrupted();
  disk.put(journalPath(name), journal);
  await refused(disk);
});

test("an image that is copied or moved together with its journal has it where it is then", async () => {
  const left = await interrupted();
  const disk = new MemoryDisk();
  disk.put("moved.ckd", left.get(name) as Buffer);
  disk.put(journalPath("moved.ckd"), left.get(journalPath(name)) as Buffer);
  const image = await DiskImage.open("moved.ckd", { access: "read-write", disk });
  assert.deepEqual(await zero(image), written);
  await image.close();
  assert.deepEqual(disk.names(), ["moved.ckd"]);
});

test("a copy that is restored over the image after a crash gets the journal's writes only if nothing is missing between", async () => {
  const disk = herculesDisk(name);
  const flush = async (value: number) => {
    const image = await DiskImage.open(name, { access: "read-write", disk });
    const track = await image.read(label);
    const records = track.records.map((record) => ({ ...record, data: record.data.map(() => value) }));
    await image.write(label, { ...track, records });
    await image.close();
    return disk.get(name) as Buffer;
  };
  const older = await flush(1);
  const old = await flush(2);
  const left = await interrupted(disk);
  const restored = (bytes: Uint8Array) => {
    const next = new MemoryDisk();
    next.put(name, bytes);
    next.put(journalPath(name), left.get(journalPath(name)) as Buffer);
    return next;
  };
  await refused(restored(older));
  const image = await DiskImage.open(name, { access: "read-write", disk: restored(old) });
  assert.deepEqual(await zero(image), Buffer.alloc(8, 0xfd));
  await image.close();
});

test("a journal that was put in already is put in again, and changes nothing", async () => {
  const left = await interrupted();
  const journal = left.get(journalPath(name)) as Buffer;
  const first = await DiskImage.open(name, { access: "read-write", disk: left });
  await first.close();
  const done = left.get(name) as Buffer;
  left.put(journalPath(name), journal);
  const again = await DiskImage.open(name, { access: "read-write", disk: left });
  await again.close();
  assert.ok((left.get(name) as Buffer).equals(done));
});

test("only tracks that were written, and a mark in the header's reserved part, differ from what was there", async () => {
  const disk = herculesDisk(name);
  const image = await DiskImage.open(name, { access: "read-write", disk });
  await image.write(label, await image.read(label));
  await image.close();
  const bytes = Buffer.from(disk.get(name) as Buffer);
  bytes.fill(0, 488, 512);
  assert.ok(bytes.equals(herculesFile(`${name}.gz`)));
});
