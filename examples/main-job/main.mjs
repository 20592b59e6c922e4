// The main job: one host, two isolated guests at the same time, unmodified programs with real weights on real pictures,
// and a comparison with the same programs without any projection.
//
//   node examples/main-job/main.mjs [--adapter best|hardware|software] [--out DIR] [--json]
//
// Exit status: 0 when everything agrees within the tolerances, 1 when something failed or differs.
import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { performance } from "node:perf_hooks";
import { parseArgs } from "node:util";
import { comparePictures, compareResults } from "../compare.mjs";
import { inGuest, inProcess, runForJson, withHost } from "./processes.mjs";
import { differenceTable, facesTable, timesTable } from "./tables.mjs";

/**
 * What counts as the same. A guest and Dawn in process run the same shaders on the same adapter: they should agree to the last
 * bit, and the tolerance only forgives a driver that is not deterministic. Other back ends sum in another order.
 */
const TOLERANCES = {
  dawn: { score: 1e-6, pixels: 1e-3, relative: 1e-6, channel: 1 },
  reference: { score: 1e-3, pixels: 0.5, relative: 1e-3, channel: 255 },
};

const FACES = "examples/tfjs/faces.mjs";
const TEXT = "examples/onnx/read-text.mjs";
const SCENE = "examples/three/scene.mjs";

const { values } = parseArgs({
  options: {
    adapter: { type: "string", default: "best" },
    out: { type: "string", default: "out" },
    json: { type: "boolean", default: false },
  },
});
const started = performance.now();
const out = resolve(values.out);

function progress(text) {
  const seconds = ((performance.now() - started) / 1000).toFixed(0).padStart(3);
  console.error(`${seconds} s  ${text}`);
}

/** Runs one program and says so when it is done. */
async function run(what, args) {
  const result = await runForJson(what, args);
  progress(`${what}: ${(result.milliseconds / 1000).toFixed(1)} s`);
  if (result.said.trim() !== "") console.error(result.said.trimEnd().replace(/^/gm, "       "));
  return { what, ...result };
}

async function projected() {
  return withHost(values.adapter, async ({ state, status }) => {
    const [adapter] = status.adapters;
    progress(`host ready on ${adapter.description} (${adapter.kind})`);
    progress("two guests at once: faces by TensorFlow.js, text by ONNX Runtime Web");
    const [faces, text] = await Promise.all([
      run("guest 1, faces", inGuest(state, "faces", out, [FACES, "--json", "--out", out])),
      run("guest 2, text", inGuest(state, "text", out, [TEXT, "--json", "--out", out])),
    ]);
    const scene = await run(
      "guest 3, three.js",
      inGuest(state, "scene", out, [SCENE, "--json", "--out", out]),
    );
    return { adapter, faces, text, scene };
  });
}

async function references() {
  progress("the same programs without projection, one after the other");
  const plain = join(out, "in-process");
  await mkdir(plain, { recursive: true });
  return {
    faces: await run("Dawn in process, faces", inProcess([FACES, "--json"])),
    text: await run("Dawn in process, text", inProcess([TEXT, "--json"])),
    scene: await run("Dawn in process, three.js", inProcess([SCENE, "--json", "--out", plain])),
    cpuFaces: await run("TensorFlow.js on its CPU backend", [
      FACES,
      "--backend",
      "cpu",
      "--repeats",
      "0",
      "--json",
    ]),
    wasmText: await run("ONNX Runtime on WebAssembly", [TEXT, "--provider", "wasm", "--json"]),
  };
}

/** One row: how far `a` lies from `b`, and whether that is within `tolerance`. */
function judge(program, against, tolerance, a, b) {
  const found = compareResults(a.document, b.document);
  const boxes = [...(found.photos ?? []), ...(found.boxes === undefined ? [] : [found.boxes])];
  const row = {
    program,
    against,
    score: Math.max(0, ...boxes.map(({ largestScore }) => largestScore), found.text?.largestScore ?? 0),
    pixels: Math.max(0, ...boxes.map(({ largestPixels }) => largestPixels)),
    relative: Math.max(
      0,
      ...Object.values(found.tensors ?? {}).map(({ largestRelative }) => largestRelative),
    ),
    mismatched: boxes.reduce((sum, { unmatched }) => sum + unmatched, found.text?.different.length ?? 0),
  };
  const same =
    row.mismatched === 0 &&
    row.score <= tolerance.score &&
    row.pixels <= tolerance.pixels &&
    row.relative <= tolerance.relative;
  return { ...row, tolerance, same };
}

async function judgePictures(a, b, tolerance) {
  const found = await comparePictures(a, b);
  return {
    program: "three.js picture",
    against: "Dawn in process",
    score: 0,
    pixels: 0,
    relative: found.largest / 255,
    mismatched: found.largest > tolerance.channel ? found.different : 0,
    tolerance,
    same: found.largest <= tolerance.channel,
  };
}

await mkdir(out, { recursive: true });
const guests = await projected();
const plain = await references();

const differences = [
  judge("faces", "Dawn in process", TOLERANCES.dawn, guests.faces, plain.faces),
  judge("faces", "TensorFlow.js CPU", TOLERANCES.reference, guests.faces, plain.cpuFaces),
  judge("text", "Dawn in process", TOLERANCES.dawn, guests.text, plain.text),
  judge("text", "ONNX Runtime wasm", TOLERANCES.reference, guests.text, plain.wasmText),
  await judgePictures(guests.scene.document.picture, plain.scene.document.picture, TOLERANCES.dawn),
];
const empty = [
  ...guests.faces.document.photos
    .filter(({ boxes }) => boxes.length === 0)
    .map(({ file }) => `no face found in ${file}`),
  ...(guests.text.document.lines.length === 0 ? ["no text found"] : []),
];
const same = differences.every((row) => row.same) && empty.length === 0;
const pictures = [
  ...guests.faces.document.photos.map(({ picture }) => picture),
  guests.text.document.picture,
  guests.scene.document.picture,
];
const milliseconds = performance.now() - started;

if (values.json) {
  const documents = (runs) =>
    Object.fromEntries(Object.entries(runs).map(([name, run]) => [name, run.document ?? run]));
  console.log(
    JSON.stringify({
      same,
      guests: documents(guests),
      plain: documents(plain),
      differences,
      pictures,
      milliseconds,
    }),
  );
} else {
  console.log(`\nFound in the guests, on ${guests.adapter.description}\n\n${facesTable(guests)}\n`);
  console.log(`Times\n\n${timesTable(guests, plain)}\n`);
  console.log(`Largest differences (tolerances in parentheses)\n\n${differenceTable(differences)}\n`);
  console.log(`Pictures\n\n${pictures.map((path) => `  ${path}`).join("\n")}\n`);
  console.log(
    `${same ? "Everything agrees." : "SOMETHING DIFFERS."} ${(milliseconds / 1000).toFixed(0)} s in all.`,
  );
}
for (const problem of empty) console.error(`failed: ${problem}`);
for (const { program, against } of differences.filter((row) => !row.same)) {
  console.error(`failed: ${program} differs from ${against} by more than its tolerance`);
}
process.exitCode = same ? 0 : 1;
