// Is a line of text upside down? PP-OCR's direction model on ONNX Runtime Web, asked about a line in a photograph and
// about the same line turned round.
//
//   node … onnx/turned-text.mjs [--provider webgpu|wasm] [--build webgpu|all] [--region X,Y,WIDTH,HEIGHT] [--json] [PICTURE]

import { basename } from "node:path";
import { crop, readPhoto, turn } from "../lib/photo.mjs";
import { describeAdapter, readOptions, report, timed } from "../lib/program.mjs";
import { MODELS, PICTURE, startRuntime } from "./runtime.mjs";
import { directionInput } from "./text-reading.mjs";

const DIRECTIONS = ["upright", "upside down"];

const { values, positionals } = readOptions({
  provider: { type: "string", default: "webgpu" },
  build: { type: "string", default: "webgpu" },
  region: { type: "string", default: "332,146,110,20" },
});
const path = positionals[0] ?? PICTURE;

const runtime = await startRuntime(values);
const loaded = await timed(() => runtime.load(MODELS.direction));
const [x, y, width, height] = values.region.split(",").map(Number);
const line = crop(await readPhoto(path), { x, y, width, height });
const asked = await timed(() => loaded.result.run(directionInput([line, turn(line)])));
const probabilities = [...asked.result.data];

report(
  values,
  {
    program: "onnx-turned-text",
    provider: values.provider,
    adapter: values.provider === "webgpu" ? await describeAdapter() : {},
    file: basename(path),
    asItIs: answer(probabilities.slice(0, 2)),
    turned: answer(probabilities.slice(2, 4)),
    tensors: { probabilities },
    times: { loadMs: loaded.ms, runMs: asked.ms },
  },
  ({ asItIs, turned, times }) =>
    `the line is ${asItIs.direction} (${asItIs.score.toFixed(4)}), turned round it is ${turned.direction} ` +
    `(${turned.score.toFixed(4)}): ${times.runMs} ms by ${values.provider}`,
);

function answer(scores) {
  const score = Math.max(...scores);
  return { direction: DIRECTIONS[scores.indexOf(score)], score };
}
