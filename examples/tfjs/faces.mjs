// Finds the faces in photographs with face-api's TinyFaceDetector on TensorFlow.js. Weights and photos come in the
// npm package; the photos show people, so they stay there.
//
//   node … tfjs/faces.mjs [--backend webgpu|cpu] [--size 416] [--out DIR] [--json] [PHOTO…]

import { basename, extname } from "node:path";
import { fileURLToPath } from "node:url";
import { installFileFetch } from "../lib/file-fetch.mjs";
import { drawBox, readPhoto, resize, writePng } from "../lib/photo.mjs";
import { describeAdapter, median, outputPath, readOptions, report, timed } from "../lib/program.mjs";
import { startBackend, tf } from "./backend.mjs";

const PACKAGE = new URL("..", import.meta.resolve("@vladmandic/face-api"));
const PHOTOS = ["demo/sample3.jpg", "demo/sample5.jpg"].map((path) => fileURLToPath(new URL(path, PACKAGE)));
const GREEN = [60, 255, 90];
/** The detector looks at a few hundred pixels a side: what is far larger would only be uploaded to be thrown away. */
const LARGEST_SIDE = 640;

const { values, positionals } = readOptions({
  backend: { type: "string", default: "webgpu" },
  size: { type: "string", default: "416" },
  threshold: { type: "string", default: "0.6" },
  repeats: { type: "string", default: "1" },
});

const faceapi = await loadFaceApi();
const started = await timed(() => startBackend(values.backend));
const detector = faceapi.nets.tinyFaceDetector;
const loaded = await timed(() => detector.loadFromUri(new URL("model", PACKAGE).href));

const photos = [];
for (const path of positionals.length > 0 ? positionals : PHOTOS) {
  photos.push(await findFaces(path));
}

report(
  values,
  {
    program: "tfjs-faces",
    backend: tf.getBackend(),
    adapter: values.backend === "webgpu" ? await describeAdapter() : {},
    photos: photos.map(({ times, ...photo }) => photo),
    times: { startMs: started.ms, loadMs: loaded.ms, photos: photos.map(({ times }) => times) },
  },
  (result) => {
    const lines = [`faces by ${result.backend}, model loaded in ${result.times.loadMs} ms`];
    for (const { file, boxes, times } of photos) {
      lines.push(
        `${file}: ${boxes.length} faces, first ${times.firstMs} ms, then ${times.steadyMs ?? "–"} ms`,
      );
      for (const { x, y, width, height, score } of boxes) {
        lines.push(
          `  ${score.toFixed(4)}  ${Math.round(width)}x${Math.round(height)} at ${Math.round(x)},${Math.round(y)}`,
        );
      }
    }
    return lines.join("\n");
  },
);

/** face-api brings its own copy of TensorFlow.js; all copies in a process share one engine and its backends. */
async function loadFaceApi() {
  // This build is made for browsers: its copy would look for Node's modules in vain.
  tf.env().set("IS_NODE", false);
  const faceapi = await import(new URL("dist/face-api.esm.js", PACKAGE));
  installFileFetch();
  faceapi.env.setEnv({ ...faceapi.env.createNodejsEnv(), fetch: globalThis.fetch });
  return faceapi;
}

async function findFaces(path) {
  const decoded = await timed(() => readPhoto(path));
  const photo = decoded.result;
  const scale = Math.min(1, LARGEST_SIDE / Math.max(photo.width, photo.height));
  const input = tensorOf(resize(photo, Math.round(photo.width * scale), Math.round(photo.height * scale)));
  const options = { inputSize: Number(values.size), scoreThreshold: Number(values.threshold) };
  const detect = () => detector.locateFaces(input, new faceapi.TinyFaceDetectorOptions(options));
  const first = await timed(detect);
  const repeats = [];
  for (let i = 0; i < Number(values.repeats); i++) {
    repeats.push((await timed(detect)).ms);
  }
  input.dispose();

  const boxes = first.result
    .map(({ score, box: { x, y, width, height } }) => ({
      x: x / scale,
      y: y / scale,
      width: width / scale,
      height: height / scale,
      score,
    }))
    .sort((a, b) => b.score - a.score);
  const picture = await outputPath(values, `${basename(path, extname(path))}-faces.png`);
  if (picture !== undefined) {
    for (const box of boxes) {
      drawBox(photo, box, GREEN);
    }
    await writePng(picture, photo);
  }
  return {
    file: basename(path),
    width: photo.width,
    height: photo.height,
    boxes,
    ...(picture === undefined ? {} : { picture }),
    times: {
      decodeMs: decoded.ms,
      firstMs: first.ms,
      ...(repeats.length > 0 && { steadyMs: median(repeats) }),
    },
  };
}

/** Red, green and blue as a tensor, without the fourth byte of each pixel. */
function tensorOf({ width, height, data }) {
  return tf.tensor3d(Int32Array.from(data.filter((_, i) => i % 4 !== 3)), [height, width, 3], "int32");
}
