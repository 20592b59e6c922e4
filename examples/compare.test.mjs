import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { compareBoxes, compareLines, compareNumbers, comparePictures, compareResults } from "./compare.mjs";
import { writePng } from "./lib/photo.mjs";

const BOX = { x: 10, y: 20, width: 100, height: 80, score: 0.9 };

test("equal results have no difference", () => {
  const result = { program: "p", photos: [{ file: "f", boxes: [BOX] }], tensors: { t: [1, 2] } };
  assert.deepEqual(compareResults(result, structuredClone(result)), {
    program: "p",
    photos: [{ file: "f", pairs: 1, unmatched: 0, largestPixels: 0, largestScore: 0 }],
    tensors: { t: { count: 2, largestAbsolute: 0, largestRelative: 0 } },
  });
});

test("the smallest difference between numbers is seen", () => {
  assert.equal(compareNumbers([1, 2, 1], [1, 2, 1 + Number.EPSILON]).largestAbsolute, Number.EPSILON);
  assert.equal(compareNumbers([0, -4], [1, -4]).largestRelative, 0.25);
});

test("a number that is none is infinitely far from every other", () => {
  assert.equal(compareNumbers([Number.NaN], [1]).largestAbsolute, Number.POSITIVE_INFINITY);
  assert.equal(compareNumbers([Number.NaN], [Number.NaN]).largestAbsolute, Number.POSITIVE_INFINITY);
});

test("lists of different lengths are not compared", () => {
  assert.throws(() => compareNumbers([1], [1, 2]), /one list has 1 numbers, the other 2/);
});

test("a box that moved is paired and measured, on every side", () => {
  for (const side of ["x", "y", "width", "height"]) {
    const moved = { ...BOX, [side]: BOX[side] + 3 };
    assert.deepEqual(compareBoxes([BOX], [moved]), {
      pairs: 1,
      unmatched: 0,
      largestPixels: 3,
      largestScore: 0,
    });
  }
});

test("a score that differs is measured", () => {
  const { largestScore } = compareBoxes([BOX], [{ ...BOX, score: 0.75 }]);
  assert.ok(Math.abs(largestScore - 0.15) < 1e-12);
});

test("boxes are paired by where they are and not by their order", () => {
  const other = { ...BOX, x: 500, score: 0.2 };
  assert.deepEqual(compareBoxes([BOX, other], [other, BOX]), {
    pairs: 2,
    unmatched: 0,
    largestPixels: 0,
    largestScore: 0,
  });
});

test("a box without a counterpart is counted, on either side", () => {
  const elsewhere = { ...BOX, x: 500 };
  assert.equal(compareBoxes([BOX], []).unmatched, 1);
  assert.equal(compareBoxes([], [BOX]).unmatched, 1);
  assert.equal(compareBoxes([BOX], [elsewhere]).unmatched, 2);
  assert.equal(compareBoxes([BOX], [{ ...BOX, x: Number.NaN }]).unmatched, 2);
});

test("lines are compared by their words, then by their scores", () => {
  const line = { text: "AGE", score: 0.5 };
  assert.deepEqual(compareLines([line], [{ text: "AGE", score: 0.75 }]), {
    lines: 1,
    different: [],
    largestScore: 0.25,
  });
  assert.deepEqual(compareLines([line], [{ text: "ACE", score: 0.5 }]).different, [["AGE", "ACE"]]);
  assert.deepEqual(compareLines([line], []).different, [["AGE", undefined]]);
});

test("results that lack what the other has are refused", () => {
  const photo = { file: "f", boxes: [] };
  const refused = [
    [{ program: "p" }, { program: "q" }, /two programs: p and q/],
    [{ program: "p", lines: [] }, { program: "p" }, /only one result has lines/],
    [{ program: "p", photos: [photo] }, { program: "p", photos: [] }, /1 photos, the other 0/],
    [{ program: "p", tensors: { a: [] } }, { program: "p", tensors: { b: [] } }, /tensors a, the other b/],
  ];
  for (const [a, b, message] of refused) {
    assert.throws(() => compareResults(a, b), message);
    assert.throws(() => compareResults(b, a));
  }
});

test("one pixel that differs in one channel is seen, as is another size", async (t) => {
  const directory = await mkdtemp(join(tmpdir(), "compare-"));
  t.after(() => rm(directory, { recursive: true }));
  const picture = async (name, width, height, change = () => {}) => {
    const data = new Uint8Array(width * height * 4).fill(200);
    change(data);
    await writePng(join(directory, name), { width, height, data });
    return join(directory, name);
  };
  const a = await picture("a.png", 4, 3);
  const b = await picture("b.png", 4, 3, (data) => {
    data[4 * 7 + 2] = 203;
  });
  assert.deepEqual(await comparePictures(a, a), { pixels: 12, different: 0, largest: 0 });
  assert.deepEqual(await comparePictures(a, b), { pixels: 12, different: 1, largest: 3 });
  await assert.rejects(comparePictures(a, await picture("c.png", 3, 4)), /4x3 pixels, .* 3x4/);
});
