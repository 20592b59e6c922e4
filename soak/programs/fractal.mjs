// The Mandelbrot set drawn by a fragment shader, with a depth buffer and four samples: the render half of WebGPU.

import { readTexture } from "./life.mjs";
import { digestOf } from "./shared.mjs";

const SIZE = 192;
const CODE = /* wgsl */ `
struct View { centre: vec2f, scale: f32 }
@group(0) @binding(0) var<uniform> view: View;
@vertex fn corner(@builtin(vertex_index) i: u32) -> @builtin(position) vec4f {
  return vec4f(f32(i32(i & 1u) * 4 - 1), f32(i32(i >> 1u) * 4 - 1), 0.5, 1);
}
@fragment fn colour(@builtin(position) at: vec4f) -> @location(0) vec4f {
  let c = view.centre + (at.xy / ${SIZE}.0 - 0.5) * view.scale;
  var z = vec2f(0);
  var steps = 0u;
  while (steps < 96u && dot(z, z) < 4.0) {
    z = vec2f(z.x * z.x - z.y * z.y, 2.0 * z.x * z.y) + c;
    steps++;
  }
  return unpack4x8unorm((steps * 0x020503u) | 0xff000000u);
}`;

export const title = "fractal";

export async function round(device, seed) {
  const size = [SIZE, SIZE];
  const { RENDER_ATTACHMENT, COPY_SRC } = GPUTextureUsage;
  const picture = device.createTexture({ size, format: "rgba8unorm", usage: RENDER_ATTACHMENT | COPY_SRC });
  const samples = device.createTexture({
    size,
    format: "rgba8unorm",
    usage: RENDER_ATTACHMENT,
    sampleCount: 4,
  });
  const depth = device.createTexture({
    size,
    format: "depth24plus",
    usage: RENDER_ATTACHMENT,
    sampleCount: 4,
  });
  const view = device.createBuffer({ size: 16, usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST });
  device.queue.writeBuffer(view, 0, new Float32Array([-0.7436 - seed / 64, 0.1318, 0.9 / (seed + 1), 0]));
  const module = device.createShaderModule({ code: CODE });
  const pipeline = device.createRenderPipeline({
    layout: "auto",
    vertex: { module },
    fragment: { module, targets: [{ format: "rgba8unorm" }] },
    primitive: { topology: "triangle-list" },
    depthStencil: { format: "depth24plus", depthCompare: "less", depthWriteEnabled: true },
    multisample: { count: 4 },
  });
  const group = device.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: [{ binding: 0, resource: { buffer: view } }],
  });
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginRenderPass({
    colorAttachments: [
      {
        view: samples.createView(),
        resolveTarget: picture.createView(),
        loadOp: "clear",
        storeOp: "discard",
      },
    ],
    depthStencilAttachment: {
      view: depth.createView(),
      depthClearValue: 1,
      depthLoadOp: "clear",
      depthStoreOp: "discard",
    },
  });
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, group);
  pass.draw(3);
  pass.end();
  device.queue.submit([encoder.finish()]);
  const digest = digestOf(await readTexture(device, picture, SIZE, SIZE));
  for (const resource of [picture, samples, depth, view]) resource.destroy();
  return digest;
}
