// Says how far two results of an example lie apart: the same program on another device, on another path to it, or
// in plain JavaScript.
//
//   node compare.mjs A.json B.json    node compare.mjs A.png B.png

import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { readPhoto } from "./lib/photo.mjs";

/**
 * @returns {{count: number, largestAbsolute: number, largestRelative: number}} `largestRelative` is the largest
 *   difference by the largest magnitude in either list: one number near zero does not make noise look like an error
 */
export function compareNumbers(a, b) {
  if (a.length !== b.length) {
    throw new Error(`one list has ${a.length} numbers, the other ${b.length}`);
  }
  let largestAbsolute = 0;
  let magnitude = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs(a[i] - b[i]);
    // NaN would slip through every "greater than": say it is infinitely far from anything.
    largestAbsolute = Number.isNaN(difference)
      ? Number.POSITIVE_INFINITY
      : Math.max(largestAbsolute, difference);
    magnitude = Math.max(magnitude, Math.abs(a[i]), Math.abs(b[i]));
  }
  return {
    count: a.length,
    largestAbsolute,
    largestRelative: magnitude > 0 ? largestAbsolute / magnitude : 0,
  };
}

/**
 * Pairs each box with the one that overlaps it most.
 *
 * @returns {{pairs: number, unmatched: number, largestPixels: number, largestScore: number}}
 */
export function compareBoxes(a, b) {
  const left = [...b];
  let pairs = 0;
  let largestPixels = 0;
  let largestScore = 0;
  for (const box of a) {
    const overlaps = left.map((other) => overlap(box, other));
    const best = overlaps.indexOf(Math.max(...overlaps));
    if (best < 0 || overlaps[best] < 0.5) {
      continue;
    }
    const [other] = left.splice(best, 1);
    pairs++;
    for (const side of ["x", "y", "width", "height"]) {
      largestPixels = Math.max(largestPixels, Math.abs(box[side] - other[side]));
    }
    largestScore = Math.max(largestScore, Math.abs((box.score ?? 0) - (other.score ?? 0)));
  }
  return { pairs, unmatched: a.length + b.length - 2 * pairs, largestPixels, largestScore };
}

/** Compares lines of read text: those that differ, and the scores of those that do not. */
export function compareLines(a, b) {
  const different = [];
  let largestScore = 0;
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    if (a[i]?.text === b[i]?.text) {
      largestScore = Math.max(largestScore, Math.abs(a[i].score - b[i].score));
    } else {
      different.push([a[i]?.text, b[i]?.text]);
    }
  }
  return { lines: a.length, different, largestScore };
}

/** Compares two documents that an example printed with `--json`; times and adapters may differ as they like. */
export function compareResults(a, b) {
  if (a.program !== b.program) {
    throw new Error(`results of two programs: ${a.program} and ${b.program}`);
  }
  for (const part of ["photos", "lines", "tensors"]) {
    if ((a[part] === undefined) !== (b[part] === undefined)) {
      throw new Error(`only one result has ${part}`);
    }
  }
  const comparison = { program: a.program };
  if (a.photos !== undefined) {
    if (a.photos.length !== b.photos.length) {
      throw new Error(`one result has ${a.photos.length} photos, the other ${b.photos.length}`);
    }
    comparison.photos = a.photos.map((photo, i) => ({
      file: photo.file,
      ...compareBoxes(photo.boxes, b.photos[i].boxes),
    }));
  }
  if (a.lines !== undefined) {
    const boxes = (lines) => lines.map(({ box, score }) => ({ ...box, score }));
    comparison.boxes = compareBoxes(boxes(a.lines), boxes(b.lines));
    comparison.text = compareLines(a.lines, b.lines);
  }
  if (a.tensors !== undefined) {
    const names = [a, b].map(({ tensors }) => Object.keys(tensors).sort().join(", "));
    if (names[0] !== names[1]) {
      throw new Error(`one result has the tensors ${names[0]}, the other ${names[1]}`);
    }
    comparison.tensors = Object.fromEntries(
      Object.entries(a.tensors).map(([name, numbers]) => [name, compareNumbers(numbers, b.tensors[name])]),
    );
  }
  return comparison;
}

/**
 * Compares two pictures pixel by pixel.
 *
 * @returns {Promise<{pixels: number, different: number, largest: number}>} `largest` is of 255, over all channels
 */
export async function comparePictures(pathA, pathB) {
  const [a, b] = await Promise.all([readPhoto(pathA), readPhoto(pathB)]);
  if (a.width !== b.width || a.height !== b.height) {
    throw new Error(`${pathA} has ${a.width}x${a.height} pixels, ${pathB} ${b.width}x${b.height}`);
  }
  let different = 0;
  let largest = 0;
  for (let i = 0; i < a.data.length; i += 4) {
    let difference = 0;
    for (let channel = 0; channel < 4; channel++) {
      difference = Math.max(difference, Math.abs(a.data[i + channel] - b.data[i + channel]));
    }
    different += difference > 0 ? 1 : 0;
    largest = Math.max(largest, difference);
  }
  return { pixels: a.width * a.height, different, largest };
}

/** The share of the area that two boxes cover together which both cover. */
function overlap(a, b) {
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  const shared = Math.max(0, width) * Math.max(0, height);
  return shared / (a.width * a.height + b.width * b.height - shared);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [a, b] = process.argv.slice(2);
  if (a === undefined || b === undefined) {
    console.error("usage: node compare.mjs A.json B.json, or A.png B.png");
    process.exit(2);
  }
  const read = async (path) => JSON.parse(await readFile(path, "utf8"));
  const result = a.endsWith(".png")
    ? await comparePictures(a, b)
    : compareResults(await read(a), await read(b));
  console.log(JSON.stringify(result, null, 2));
}
