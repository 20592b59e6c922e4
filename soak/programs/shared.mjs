// What the programs have in common: the same numbers in every run, and a digest of a buffer's contents.
import { createHash } from "node:crypto";

/** xorshift32: `count` numbers that only `seed` decides. */
export function numbers(seed, count) {
  const out = new Uint32Array(count);
  let x = (Math.imul(seed + 1, 0x9e3779b1) ^ 0x5bd1e995) >>> 0 || 1;
  for (let i = 0; i < count; i++) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    x >>>= 0;
    out[i] = x;
  }
  return out;
}

/** Hex, of the bytes themselves: one wrong bit anywhere is another digest. */
export function digestOf(bytes) {
  return createHash("sha256").update(bytes).digest("hex").slice(0, 32);
}

export function storageBuffer(device, data) {
  const buffer = device.createBuffer({
    size: data.byteLength,
    usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST,
  });
  device.queue.writeBuffer(buffer, 0, data);
  return buffer;
}

export async function read(device, encoder, buffer, size) {
  const result = device.createBuffer({ size, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  encoder.copyBufferToBuffer(buffer, 0, result, 0, size);
  device.queue.submit([encoder.finish()]);
  try {
    await result.mapAsync(GPUMapMode.READ);
    return new Uint8Array(result.getMappedRange().slice(0));
  } finally {
    result.destroy();
  }
}

export function computePipeline(device, code, constants = {}) {
  return device.createComputePipeline({
    layout: "auto",
    compute: { module: device.createShaderModule({ code }), constants },
  });
}

export function bind(device, pipeline, ...resources) {
  return device.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: resources.map((resource, binding) => ({
      binding,
      resource: resource instanceof GPUBuffer ? { buffer: resource } : resource,
    })),
  });
}
