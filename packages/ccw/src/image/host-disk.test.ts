import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  linkSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { DiskImage } from "./disk-image.js";
import { isImageError } from "./error.js";
import { type HerculesImage, herculesFile } from "./hercules.test.fixture.js";
import { type Access, HostDisk, type ImageFile } from "./image-file.js";

function directory(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), "parhelion-image-"));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

function placed(t: TestContext, name: HerculesImage): string {
  const path = join(directory(t), name);
  writeFileSync(path, herculesFile(`${name}.gz`));
  return path;
}

test("two writers are kept apart, by whatever path they come", async (t) => {
  const path = placed(t, "loaded-zlib.cckd");
  const other = `${path}.link`;
  linkSync(path, other);
  const first = await DiskImage.open(path, { access: "read-write" });
  for (const each of [path, other])
    await assert.rejects(DiskImage.open(each, { access: "read-write" }), (error) =>
      isImageError(error, "image-locked"),
    );
  const reader = await DiskImage.open(path, { access: "read-only" });
  await reader.close();
  await first.close();
  const second = await DiskImage.open(other, { access: "read-write" });
  await second.close();
});

/** Somebody puts another file at the path while it is being opened. */
class SwappedDisk extends HostDisk {
  #other: string | undefined;

  constructor(other: string) {
    super();
    this.#other = other;
  }

  override async open(path: string, access: Access): Promise<ImageFile> {
    const file = await super.open(path, access);
    const other = this.#other;
    this.#other = undefined;
    if (other !== undefined) renameSync(other, path);
    return file;
  }
}

test("the lock is of the very file that is open, whatever came to its path meanwhile", async (t) => {
  const path = placed(t, "loaded-zlib.cckd");
  const [link, other] = [`${path}.link`, `${path}.other`];
  linkSync(path, link);
  writeFileSync(other, readFileSync(path));
  const first = await DiskImage.open(path, { access: "read-write", disk: new SwappedDisk(other) });
  await assert.rejects(DiskImage.open(link, { access: "read-write" }), (error) =>
    isImageError(error, "image-locked"),
  );
  const second = await DiskImage.open(path, { access: "read-write" });
  await second.close();
  await first.close();
});

test("two images that came to have one path don't have one journal", async (t) => {
  const path = placed(t, "loaded.ckd");
  const other = `${path}.other`;
  writeFileSync(other, readFileSync(path));
  const first = await DiskImage.open(path, { access: "read-write", disk: new SwappedDisk(other) });
  const second = await DiskImage.open(path, { access: "read-write" });
  const touch = async (image: DiskImage) => {
    await image.write(7, await image.read(7));
    await image.flush();
  };
  await touch(first);
  const locked = (error: unknown) => isImageError(error, "image-locked") && error.file === `${path}.journal`;
  await assert.rejects(touch(second), locked);
  await first.close();
  await second.close();
  assert.deepEqual(readdirSync(join(path, "..")), ["loaded.ckd"]);
});

test("a disk that was only read is the same file afterwards, and nothing lies beside it", async (t) => {
  for (const name of ["loaded.ckd", "loaded-zlib.cckd"] as const) {
    const path = placed(t, name);
    const image = await DiskImage.open(path, { access: "read-write" });
    await image.read(3);
    await image.close();
    assert.ok(readFileSync(path).equals(herculesFile(`${name}.gz`)));
    assert.deepEqual(readdirSync(join(path, "..")), [name]);
  }
});

test("whoever comes by a symbolic link has the same journal and the same further files", async (t) => {
  const path = placed(t, "loaded.ckd");
  const link = join(directory(t), "link");
  symlinkSync(path, link);
  const image = await DiskImage.open(link, { access: "read-write" });
  await image.write(7, await image.read(7));
  await image.flush();
  assert.deepEqual(readdirSync(join(path, "..")), ["loaded.ckd", "loaded.ckd.journal"]);
  assert.deepEqual(readdirSync(join(link, "..")), ["link"]);
  await image.close();
  assert.deepEqual(readdirSync(join(path, "..")), ["loaded.ckd"]);
});

test("what can't be opened is told as such", async (t) => {
  const path = directory(t);
  for (const wrong of [join(path, "none"), path])
    await assert.rejects(DiskImage.open(wrong, { access: "read-only" }), (error) =>
      isImageError(error, "image-missing"),
    );
});

test("a pipe is no image, and is not waited for", (t) => {
  const path = join(directory(t), "pipe");
  if (spawnSync("mkfifo", [path]).status !== 0) return t.skip("there is no mkfifo");
  const module = new URL("./disk-image.js", import.meta.url).href;
  // In a process of its own: one that waits for the pipe can only be killed.
  const script = `import { DiskImage } from ${JSON.stringify(module)};
    await DiskImage.open(process.argv[1], { access: "read-only" }).catch(({ code }) => console.log(code));`;
  const { signal, stdout } = spawnSync(
    process.execPath,
    ["--input-type=module", "--eval", script, "--", path],
    {
      encoding: "utf8",
      timeout: 60_000,
      killSignal: "SIGKILL",
    },
  );
  assert.deepEqual([signal, stdout], [null, "image-missing\n"]);
});

test("a closed image and a read-only one refuse to be written", async (t) => {
  const path = placed(t, "loaded.ckd");
  const image = await DiskImage.open(path, { access: "read-only" });
  const track = await image.read(1);
  await assert.rejects(image.write(1, track), (error) => isImageError(error, "image-read-only"));
  await image.close();
  await image.close();
  await assert.rejects(image.read(2), (error) => isImageError(error, "image-closed"));
});

test("an image of several files is one disk, and a file of it that is missing or strange is named", async (t) => {
  const path = directory(t);
  const content = herculesFile("loaded.ckd.gz");
  const header = content.subarray(0, 512);
  const cylinder = 15 * 56832;
  const name = join(path, "disk_1.of.two.ckd");
  const part = (from: number, to: number, sequence: number, highest: number) => {
    const bytes = Buffer.concat([header, content.subarray(512 + from * cylinder, 512 + to * cylinder)]);
    bytes.set([sequence, highest, 0], 17);
    return bytes;
  };
  const two = part(0, 2, 1, 1);
  const rest = part(2, 4, 2, 0);
  writeFileSync(name, two);
  await assert.rejects(
    DiskImage.open(name, { access: "read-only" }),
    (error) => isImageError(error, "image-missing") && error.file.endsWith("disk_2.of.two.ckd"),
  );
  writeFileSync(join(path, "disk_2.of.two.ckd"), part(2, 4, 3, 0));
  await assert.rejects(
    DiskImage.open(name, { access: "read-only" }),
    (error) =>
      isImageError(error, "image-header") && error.file.endsWith("disk_2.of.two.ckd") && error.offset === 17,
  );
  writeFileSync(join(path, "disk_2.of.two.ckd"), rest);
  const image = await DiskImage.open(name, { access: "read-write" });
  assert.equal(image.geometry.cylinders, 4);
  const track = await image.read(45);
  assert.equal(track.home.cylinder, 3);
  await image.write(45, track);
  await image.write(2, await image.read(2));
  await image.close();
  const again = readFileSync(join(path, "disk_2.of.two.ckd"));
  assert.ok(again.equals(rest));
  assert.deepEqual(readdirSync(path).sort(), ["disk_1.of.two.ckd", "disk_2.of.two.ckd"]);
});

/** Ends when the process is gone. */
async function killed(writer: ChildProcess): Promise<void> {
  const gone = once(writer, "exit");
  writer.kill("SIGKILL");
  await gone;
}

for (const name of ["loaded.ckd", "loaded-zlib.cckd"] as const)
  test(`a writer of ${name} that is killed leaves a disk that holds all it was told is durable`, async (t) => {
    const path = placed(t, name);
    for (let round = 1; round <= 3; round += 1) {
      const program = fileURLToPath(new URL("./killed-writer.test.fixture.js", import.meta.url));
      const writer = spawn(process.execPath, [program, path, `${round}`], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      t.after(() => writer.kill("SIGKILL"));
      let durable = 0;
      for await (const line of createInterface({ input: writer.stdout })) {
        durable = Number(line);
        if (durable >= 3 * round) break;
      }
      await killed(writer);
      const image = await DiskImage.open(path, { access: "read-write" });
      for (const track of [1, 2, 3]) {
        const number = Buffer.from((await image.read(track)).records[1]?.data ?? []).readUInt32BE(0);
        assert.ok(
          number >= round * 1000 + durable,
          `track ${track} is of flush ${number}, told was ${durable}`,
        );
      }
      await image.close();
    }
    assert.deepEqual(readdirSync(join(path, "..")), [name]);
  });
