import assert from "node:assert/strict";
import { test } from "node:test";
import { crc32 } from "node:zlib";
import { DiskImage } from "./disk-image.js";
import { isImageError } from "./error.js";
import { herculesDisk, herculesFile } from "./hercules.test.fixture.js";
import { journalPath } from "./journal.js";
import { CrashError, MemoryDisk } from "./memory-disk.test.fixture.js";

const name = "loaded.ckd";
const label = 7;

/** What a writer leaves that dies when its journal is durable, and before the image is. */
async function interrupted(): Promise<MemoryDisk> {
  for (let step = 1; step < 20; step += 1) {
    const disk = herculesDisk(name);
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
  const journal = Buffer.from((await interrupted()).get(journalPath(name)) as Buffer);
  journal.writeUInt32LE(9, 12);
  journal.writeUInt32LE(crc32(journal.subarray(12, journal.readUInt32LE(16))), 8);
  const disk = herculesDisk(name);
  disk.put(journalPath(name), journal);
  for (const access of ["read-only", "read-write"] as const)
    await assert.rejects(
      DiskImage.open(name, { access, disk }),
      (error) => isImageError(error, "image-journal") && error.offset === journal.readUInt32LE(16),
    );
  assert.equal(disk.writes, 0);
});

test("a journal of another file is refused and stays, and so does the image", async () => {
  const journal = (await interrupted()).get(journalPath(name)) as Buffer;
  const disk = new MemoryDisk();
  disk.put("other.ckd", herculesFile(`${name}.gz`));
  disk.put(journalPath("other.ckd"), journal);
  for (const access of ["read-only", "read-write"] as const)
    await assert.rejects(
      DiskImage.open("other.ckd", { access, disk }),
      (error) => isImageError(error, "image-journal") && error.file === journalPath("other.ckd"),
    );
  assert.equal(disk.writes, 0);
  assert.ok((disk.get(journalPath("other.ckd")) as Buffer).equals(journal));
});
