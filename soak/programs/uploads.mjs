// Bytes on every way into and out of a buffer, many at once: writes, mappings for writing and reading, copies and error scopes.
import { digestOf, numbers } from "./shared.mjs";

const PIECES = 24;
const WORDS = 4096;
const SIZE = WORDS * 4;

export const title = "uploads";

export async function round(device, seed) {
  const { COPY_SRC, COPY_DST, MAP_READ, MAP_WRITE } = GPUBufferUsage;
  const store = device.createBuffer({ size: PIECES * SIZE, usage: COPY_SRC | COPY_DST });
  const result = device.createBuffer({ size: PIECES * SIZE, usage: MAP_READ | COPY_DST });
  const spare = [];
  for (let piece = 0; piece < PIECES; piece++) {
    const data = numbers(seed * PIECES + piece, WORDS);
    if (piece % 3 === 0) {
      device.queue.writeBuffer(store, piece * SIZE, data);
      continue;
    }
    const mappedAtCreation = piece % 3 === 1;
    const staging = device.createBuffer({ size: SIZE, usage: MAP_WRITE | COPY_SRC, mappedAtCreation });
    if (!mappedAtCreation) await staging.mapAsync(GPUMapMode.WRITE);
    new Uint32Array(staging.getMappedRange()).set(data);
    staging.unmap();
    const encoder = device.createCommandEncoder();
    encoder.copyBufferToBuffer(staging, 0, store, piece * SIZE, SIZE);
    device.queue.submit([encoder.finish()]);
    spare.push(staging);
  }
  device.pushErrorScope("validation");
  device.queue.writeBuffer(store, PIECES * SIZE, new Uint32Array(1));
  const error = await device.popErrorScope();
  if (error === null) throw new Error("a write beyond the end was not refused");
  const encoder = device.createCommandEncoder();
  encoder.copyBufferToBuffer(store, 0, result, 0, PIECES * SIZE);
  device.queue.submit([encoder.finish()]);
  await result.mapAsync(GPUMapMode.READ);
  const digest = digestOf(new Uint8Array(result.getMappedRange()));
  for (const buffer of [store, result, ...spare]) buffer.destroy();
  return digest;
}
