// TensorFlow.js with its WebGPU backend. The programs add its plain JavaScript one, `cpu`, to compare with: each
// from where it gets it.

import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-webgpu";

export { tf };

/** @param {string} name "webgpu" or "cpu" */
export async function startBackend(name) {
  if (!["webgpu", "cpu"].includes(name)) {
    throw new Error(`no backend "${name}": choose webgpu or cpu`);
  }
  if (!(await tf.setBackend(name)) || tf.getBackend() !== name) {
    throw new Error(`TensorFlow.js could not start its ${name} backend`);
  }
  await tf.ready();
}
