import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { comparePictures } from "../compare.mjs";
import { readPhoto } from "../lib/photo.mjs";
import { inGuest, inProcess } from "../lib/run-program.mjs";

const SCENE = ["three/scene.mjs", "--width", "320", "--height", "240"];

test("three.js draws the same picture in an isolated guest as in process, pixel by pixel", async (t) => {
  const directory = await mkdtemp(join(tmpdir(), "scene-"));
  t.after(() => rm(directory, { recursive: true }));
  const [there, here] = ["guest", "plain"].map((name) => join(directory, name));
  await mkdir(there);

  const guest = await inGuest([...SCENE, "--out", there], ["--isolate", "--writable", there]);
  const plain = await inProcess([...SCENE, "--out", here]);
  assert.deepEqual(guest.adapter, plain.adapter);
  assert.deepEqual(await comparePictures(guest.picture, plain.picture), {
    pixels: 320 * 240,
    different: 0,
    largest: 0,
  });
  assert.ok((await coloursOf(guest.picture)) > 1000, "the picture has hardly any colours");
});

async function coloursOf(path) {
  const { data } = await readPhoto(path);
  return new Set(new Uint32Array(data.buffer, data.byteOffset, data.byteLength / 4)).size;
}
