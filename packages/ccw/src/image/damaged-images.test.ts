import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { datasetMembers, datasetRecords } from "./dataset-blocks.js";
import { DiskImage } from "./disk-image.js";
import { ImageError, isImageError } from "./error.js";
import type { ImageErrorCode } from "./error-codes.js";
import { type HerculesImage, herculesDisk, herculesFile } from "./hercules.test.fixture.js";
import { MemoryDisk } from "./memory-disk.test.fixture.js";
import { volumeDatasets } from "./volume.js";

const u32 = (value: number): number[] => [...new Uint8Array(new Uint32Array([value]).buffer)];

interface Damage {
  readonly name: string;
  readonly image: HerculesImage;
  readonly at: number;
  readonly bytes: readonly number[];
  readonly code: ImageErrorCode;
  readonly offset: number;
}

const damages: readonly Damage[] = [
  { name: "other letters", image: "loaded.ckd", at: 0, bytes: [0x50], code: "image-header", offset: 0 },
  {
    name: "a shadow file",
    image: "loaded-zlib.cckd",
    at: 0,
    bytes: [...Buffer.from("CKD_S370")],
    code: "image-shadow",
    offset: 0,
  },
  {
    name: "64-bit tables",
    image: "loaded-zlib.cckd",
    at: 0,
    bytes: [...Buffer.from("CKD_C064")],
    code: "image-unsupported",
    offset: 0,
  },
  { name: "16 heads", image: "loaded.ckd", at: 8, bytes: u32(16), code: "image-geometry", offset: 8 },
  { name: "no heads", image: "loaded.ckd", at: 8, bytes: u32(0), code: "image-geometry", offset: 8 },
  { name: "short tracks", image: "loaded.ckd", at: 12, bytes: u32(512), code: "image-geometry", offset: 12 },
  { name: "an unknown disk", image: "loaded.ckd", at: 16, bytes: [0x77], code: "image-geometry", offset: 16 },
  {
    name: "more files to come",
    image: "loaded.ckd",
    at: 18,
    bytes: [3, 0],
    code: "image-header",
    offset: 18,
  },
  {
    name: "a later version",
    image: "loaded-zlib.cckd",
    at: 512,
    bytes: [1],
    code: "image-header",
    offset: 512,
  },
  {
    name: "other level-2 tables",
    image: "loaded-zlib.cckd",
    at: 520,
    bytes: u32(255),
    code: "image-header",
    offset: 520,
  },
  {
    name: "too big a level-1 table",
    image: "loaded-zlib.cckd",
    at: 516,
    bytes: u32(0x7fff_ffff),
    code: "image-header",
    offset: 516,
  },
  {
    name: "no cylinders",
    image: "loaded-zlib.cckd",
    at: 552,
    bytes: u32(0),
    code: "image-geometry",
    offset: 552,
  },
  {
    name: "too many cylinders",
    image: "loaded-zlib.cckd",
    at: 552,
    bytes: u32(70_000),
    code: "image-geometry",
    offset: 552,
  },
  {
    name: "a compression nobody knows",
    image: "loaded-zlib.cckd",
    at: 557,
    bytes: [9],
    code: "image-compression",
    offset: 557,
  },
  {
    name: "a table behind the end",
    image: "loaded-zlib.cckd",
    at: 1024,
    bytes: u32(0x7fff_ffff),
    code: "image-table",
    offset: 1024,
  },
  {
    name: "a table in the header",
    image: "loaded-zlib.cckd",
    at: 1024,
    bytes: u32(8),
    code: "image-table",
    offset: 1024,
  },
];

const whole = async (image: DiskImage): Promise<void> => {
  for (let track = 0; track < 62 && track < image.geometry.tracks; track += 1) await image.read(track);
  await image.space();
  for (const dataset of await volumeDatasets(image)) {
    if (dataset.organization === "PO") await datasetMembers(image, dataset);
    for await (const _ of datasetRecords(image, dataset));
  }
};

for (const { name, image, at, bytes, code, offset } of damages)
  test(`${name}: the error says so, at offset ${offset}, and nothing is written`, async () => {
    const content = herculesFile(`${image}.gz`);
    content.set(bytes, at);
    for (const access of ["read-only", "read-write"] as const) {
      const disk = new MemoryDisk();
      disk.put(image, content);
      await assert.rejects(DiskImage.open(image, { access, disk }), (error) => {
        assert.ok(error instanceof ImageError);
        assert.deepEqual([error.code, error.offset], [code, offset], error.message);
        assert.equal(error.file, image);
        return true;
      });
      assert.equal(disk.writes, 0);
    }
  });

test("two entries that claim the same bytes are refused, as are two tables at one place", async () => {
  const content = herculesFile("loaded-zlib.cckd.gz");
  const table = content.readUInt32LE(1024);
  const twice = Buffer.from(content);
  twice.copyWithin(table + 8, table, table + 8);
  const disk = new MemoryDisk();
  disk.put("twice", twice);
  await assert.rejects(
    DiskImage.open("twice", { access: "read-only", disk }),
    (error) => isImageError(error, "image-table") && error.message.includes("overlaps"),
  );
  const loop = Buffer.from(content);
  loop.writeUInt32LE(table, 1028);
  disk.put("loop", loop);
  await assert.rejects(DiskImage.open("loop", { access: "read-only", disk }), (error) =>
    isImageError(error, "image-table"),
  );
});

test("a track of another place and a track without an end are told with their offset", async () => {
  const disk = herculesDisk("loaded.ckd");
  const content = disk.get("loaded.ckd") as Buffer;
  const at = 512 + 3 * 56832;
  content[at + 4] = 9;
  content.fill(0, at + 56832, at + 56832 + 40);
  content[at + 56832 + 4] = 4;
  const image = await DiskImage.open("loaded.ckd", { access: "read-only", disk });
  await assert.rejects(image.read(3), (error) => isImageError(error, "image-track") && error.offset === at);
  await assert.rejects(image.read(4), (error) => isImageError(error, "image-track"));
  assert.equal((await image.read(5)).home.head, 5);
});

for (const name of ["loaded.ckd", "loaded-zlib.cckd", "loaded-bzip2.cckd", "linux.cckd"] as const) {
  const content = herculesFile(`${name}.gz`);

  /** Reads all of it; whatever is wrong is an ImageError, and the file stays as it is. */
  async function examine(bytes: Buffer): Promise<void> {
    for (const access of ["read-only", "read-write"] as const) {
      const disk = new MemoryDisk();
      disk.put(name, bytes);
      try {
        const image = await DiskImage.open(name, { access, disk });
        try {
          await whole(image);
        } finally {
          await image.close();
        }
      } catch (error) {
        if (!(error instanceof ImageError)) throw error;
        assert.equal(error.file, name);
      }
      assert.equal(disk.writes, 0);
      assert.deepEqual(disk.names(), [name]);
    }
  }

  test(`${name} cut off anywhere is read, or refused as an image that is cut off or damaged`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(content.length - 1), (length) => examine(content.subarray(0, length))),
      { numRuns: 25 },
    );
  });

  test(`${name} with any bytes changed is read or refused, and is never written`, async () => {
    const place = fc.oneof(fc.nat(Math.min(content.length, 6000) - 1), fc.nat(content.length - 1));
    const change = fc.tuple(place, fc.uint8Array({ minLength: 1, maxLength: 6 }));
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 6 }), async (changes) => {
        const bytes = Buffer.from(content);
        for (const [at, values] of changes) bytes.set(values.subarray(0, bytes.length - at), at);
        await examine(bytes);
      }),
      { numRuns: 25 },
    );
  });
}
