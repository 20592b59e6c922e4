import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { writePng } from "../lib/photo.mjs";
import { judge, TOLERANCES } from "./judge.mjs";

const ADAPTER = { vendor: "v", architecture: "a" };

describe("the main job's judgement", () => {
  let directory;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "judge-"));
    for (const [name, grey] of Object.entries({ same: 100, near: 101, far: 102 })) {
      const data = new Uint8Array(16).fill(grey);
      await writePng(join(directory, `${name}.png`), { width: 2, height: 2, data });
    }
  });
  after(() => rm(directory, { recursive: true }));

  /** Results that agree, after `change` has had them; no two of them share a part. */
  function results(change = () => {}) {
    const faces = () => ({
      program: "faces",
      adapter: ADAPTER,
      photos: [
        { file: "one.jpg", boxes: [{ x: 1, y: 2, width: 30, height: 40, score: 0.9 }] },
        { file: "two.jpg", boxes: [{ x: 5, y: 6, width: 70, height: 80, score: 0.8 }] },
      ],
    });
    const box = () => ({ x: 1, y: 2, width: 30, height: 10 });
    const text = () => ({
      program: "text",
      adapter: ADAPTER,
      file: "three.png",
      lines: [{ text: "AGE", score: 0.9, box: box() }],
      tensors: { detection: [0.5, 1] },
    });
    const scene = () => ({ program: "scene", adapter: ADAPTER, picture: join(directory, "same.png") });
    const all = {
      ...{ faces: faces(), plainFaces: faces(), cpuFaces: { ...faces(), adapter: {} } },
      ...{ text: text(), plainText: text(), wasmText: { ...text(), adapter: {} } },
      ...{ scene: scene(), plainScene: scene() },
    };
    change(all);
    return all;
  }

  test("results that agree have no problem", async () => {
    const { differences, problems } = await judge(results());
    assert.deepEqual(problems, []);
    assert.deepEqual(
      differences.map(({ verdict }) => verdict),
      ["same", "same", "same", "same", "same"],
    );
  });

  test("differences within the tolerance are none", async () => {
    const { problems } = await judge(
      results((all) => {
        all.cpuFaces.photos[0].boxes[0].score += TOLERANCES.reference.score / 2;
        all.plainFaces.photos[0].boxes[0].score += TOLERANCES.dawn.score / 2;
        all.wasmText.tensors.detection[0] += TOLERANCES.reference.relative / 2;
        all.plainScene.picture = join(directory, "near.png");
      }),
    );
    assert.deepEqual(problems, []);
  });

  const faces = "faces: the guest differs from Dawn in process by more than the tolerance";
  const text = "text: the guest differs from Dawn in process by more than the tolerance";
  const scene = "three.js frame: the guest differs from Dawn in process by more than the tolerance";
  const cases = {
    "a score beyond the tolerance": [faces, (all) => (all.plainFaces.photos[1].boxes[0].score += 2e-6)],
    "a score that is no number": [faces, (all) => (all.plainFaces.photos[0].boxes[0].score = Number.NaN)],
    "a box that moved": [faces, (all) => (all.plainFaces.photos[0].boxes[0].x += 0.01)],
    "a face too many": [
      faces,
      (all) => all.plainFaces.photos[0].boxes.push({ x: 900, y: 2, width: 30, height: 40, score: 0.7 }),
    ],
    "another word": [text, (all) => (all.plainText.lines[0].text = "ACE")],
    "a line too few": [text, (all) => all.plainText.lines.pop()],
    "a tensor's element": [text, (all) => (all.plainText.tensors.detection[1] = 1.0001)],
    "a colour": [scene, (all) => (all.plainScene.picture = join(directory, "far.png"))],
    "a face unlike the one by plain JavaScript": [
      "faces: the guest differs from TensorFlow.js CPU by more than the tolerance",
      (all) => (all.cpuFaces.photos[0].boxes[0].score += 0.01),
    ],
    "a text unlike the one by WebAssembly": [
      "text: the guest differs from ONNX Runtime wasm by more than the tolerance",
      (all) => (all.wasmText.lines[0].text = ""),
    ],
    "another adapter": [
      'scene: the guest ran on {"vendor":"v","architecture":"a"}, the reference on {"vendor":"other"}',
      (all) => (all.plainScene.adapter = { vendor: "other" }),
    ],
  };
  for (const [what, [problem, change]] of Object.entries(cases)) {
    test(`${what} is a problem`, async () => {
      assert.deepEqual((await judge(results(change))).problems, [problem]);
    });
  }

  test("finding nothing is a problem even where all agree", async () => {
    const { problems } = await judge(
      results((all) => {
        for (const name of ["faces", "plainFaces", "cpuFaces"]) all[name].photos[1].boxes = [];
        for (const name of ["text", "plainText", "wasmText"]) all[name].lines = [];
      }),
    );
    assert.deepEqual(problems, ["no face was found in two.jpg", "no text was found in three.png"]);
  });
});
