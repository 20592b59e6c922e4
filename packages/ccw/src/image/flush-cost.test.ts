/** How often a flush has the machine's disks wait: what a durable channel program pays for. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { DiskImage } from "./disk-image.js";
import { herculesDisk } from "./hercules.test.fixture.js";
import type { ImageDisk, ImageFile } from "./image-file.js";

const name = "loaded.ckd";

/** The same disk; `calls` has what was asked of its files. */
function watched(inner: ImageDisk, calls: string[]): ImageDisk {
  const watch = (file: ImageFile): ImageFile =>
    new Proxy(file, {
      get(target, key) {
        const value: unknown = Reflect.get(target, key);
        if (typeof value !== "function") return value;
        const run = value.bind(target) as (...values: unknown[]) => unknown;
        return (...values: unknown[]) => {
          if (key === "sync" || key === "write") calls.push(`${String(key)} ${target.path}`);
          return run(...values);
        };
      },
    });
  return new Proxy(inner, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key);
      if (typeof value !== "function") return value;
      const run = value.bind(target) as (...values: unknown[]) => unknown;
      if (key !== "open" && key !== "openOrCreate") return run;
      return async (...values: unknown[]) => watch((await run(...values)) as ImageFile);
    },
  });
}

test("a flush of several tracks writes the journal once, and waits once for it and once for the image", async () => {
  const calls: string[] = [];
  const image = await DiskImage.open(name, {
    access: "read-write",
    disk: watched(herculesDisk(name), calls),
  });
  const tracks = [20, 21, 22, 23, 24];
  const change = async () => {
    for (const track of tracks) await image.write(track, { ...(await image.read(track)) });
    await image.flush();
  };
  // The first flush of all makes the journal, and gives the image its stamp.
  await change();
  calls.length = 0;
  await change();
  const count = (call: string) => calls.filter((each) => each === call).length;
  assert.equal(count(`write ${name}.journal`), 1);
  assert.equal(count(`sync ${name}.journal`), 1);
  assert.equal(count(`sync ${name}`), 1);
  assert.equal(count(`write ${name}`), tracks.length + 1);
  await image.close();
});
