// Multiplies two 256x256 matrices with TensorFlow.js on WebGPU and compares with its plain JavaScript backend.

import "@tensorflow/tfjs-backend-cpu";
import { describeAdapter, median, readOptions, report, timed } from "../lib/program.mjs";
import { startBackend, tf } from "./backend.mjs";

const SIZE = 256;
const REPEATS = 5;

const { values } = readOptions({ backend: { type: "string", default: "webgpu" } });

/** The same numbers in every run: a small linear congruential generator. */
function matrix(seed) {
  const numbers = new Float32Array(SIZE * SIZE);
  let state = seed;
  for (let i = 0; i < numbers.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    numbers[i] = state / 2 ** 32 - 0.5;
  }
  return numbers;
}

async function product(a, b) {
  const tensors = [tf.tensor2d(a, [SIZE, SIZE]), tf.tensor2d(b, [SIZE, SIZE])];
  const result = tf.matMul(...tensors);
  const numbers = await result.data();
  tf.dispose([...tensors, result]);
  return numbers;
}

const [a, b] = [matrix(1), matrix(2)];

await startBackend("cpu");
const expected = await product(a, b);

await startBackend(values.backend);
const first = await timed(() => product(a, b));
const repeats = [];
for (let i = 0; i < REPEATS; i++) {
  repeats.push((await timed(() => product(a, b))).ms);
}

let largest = 0;
for (const [i, value] of first.result.entries()) {
  largest = Math.max(largest, Math.abs(value - expected[i]));
}

report(
  values,
  {
    program: "tfjs-matmul",
    backend: tf.getBackend(),
    adapter: values.backend === "webgpu" ? await describeAdapter() : {},
    size: SIZE,
    largestDifferenceToCpu: largest,
    corner: [...first.result.slice(0, 4)],
    tensors: { product: [...first.result.filter((_, i) => i % 257 === 0)] },
    times: { firstMs: first.ms, steadyMs: median(repeats) },
  },
  (result) =>
    `${SIZE}x${SIZE} product on ${result.backend}: first ${result.times.firstMs} ms, then ${result.times.steadyMs} ms, ` +
    `differs from plain JavaScript by at most ${result.largestDifferenceToCpu.toExponential(1)}`,
);
