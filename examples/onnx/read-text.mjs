// Reads the text in a picture with the PP-OCR models on ONNX Runtime Web: one model finds the lines, another reads
// each. The picture is a photograph with text beside it from face-api's package.
//
//   node … onnx/read-text.mjs [--provider webgpu|wasm] [--build webgpu|all] [--region X,Y,WIDTH,HEIGHT] [--out DIR]
//     [--json] [PICTURE]

import { readFile } from "node:fs/promises";
import { basename, extname } from "node:path";
import { crop, drawBox, readPhoto, writePng } from "../lib/photo.mjs";
import { describeAdapter, outputPath, readOptions, report, timed } from "../lib/program.mjs";
import { MODELS, PICTURE, startRuntime } from "./runtime.mjs";
import { detectionInput, linesFrom } from "./text-lines.mjs";
import { decodeTexts, recognitionInput } from "./text-reading.mjs";

const REGION = "318,136,128,32";
const ORANGE = [255, 150, 30];

const { values, positionals } = readOptions({
  provider: { type: "string", default: "webgpu" },
  build: { type: "string", default: "webgpu" },
  region: { type: "string", default: REGION },
});
const path = positionals[0] ?? PICTURE;

const runtime = await startRuntime(values);

const photo = await readPhoto(path);
const [x, y, width, height] = values.region.split(",").map(Number);
const picture = crop(photo, { x, y, width, height });

const loaded = await timed(async () => ({
  detection: await runtime.load(MODELS.detection),
  recognition: await runtime.load(MODELS.recognition),
  keys: (await readFile(MODELS.dictionary, "utf8")).split("\n"),
}));
const { detection, recognition, keys } = loaded.result;

const found = await timed(async () => {
  const map = await detection.run(detectionInput(picture));
  return { map, lines: linesFrom(map, picture) };
});

const boxes = found.result.lines;
const read = await timed(async () => {
  const input = recognitionInput(boxes.map((box) => crop(picture, box)));
  return decodeTexts(await recognition.run(input), keys);
});
const lines = boxes.map((box, i) => ({ ...read.result[i], box: { ...box, x: box.x + x, y: box.y + y } }));

const pictureOut = await outputPath(values, `${basename(path, extname(path))}-text.png`);
if (pictureOut !== undefined) {
  for (const { box } of lines) {
    drawBox(photo, box, ORANGE, 2);
  }
  await writePng(pictureOut, photo);
}

report(
  values,
  {
    program: "onnx-read-text",
    provider: values.provider,
    adapter: values.provider === "webgpu" ? await describeAdapter() : {},
    file: basename(path),
    lines,
    tensors: { detection: [...found.result.map.data.filter((_, i) => i % 97 === 0)] },
    ...(pictureOut !== undefined && { picture: pictureOut }),
    times: { loadMs: loaded.ms, detectMs: found.ms, readMs: read.ms },
  },
  (result) =>
    [
      `text by ${result.provider}: models loaded in ${loaded.ms} ms, ` +
        `${lines.length} lines found in ${found.ms} ms, read in ${read.ms} ms`,
      ...lines.map(({ text, score }) => `  ${score.toFixed(4)}  ${text}`),
    ].join("\n"),
);
