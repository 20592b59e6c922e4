// `node bench/memory.mjs`: what a slice's ledger counts, beside what its engine's process really has more of, on the software adapter.
//
//   node bench/memory.mjs [--only NAME]
//
// Every work is done once in a fresh engine, then several times more, which are measured together: the first pays for what is made once
// (machine code of the software GPU, pools), and what the allocators have left over from one they use for the next. V8's young generation is
// kept small, which would otherwise grow meanwhile, and garbage is collected before each look. Everything that is created is used by the
// GPU, because memory that nobody touches is not resident.
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { startEngine } from "./engine-child.mjs";

const { values } = parseArgs({ options: { only: { type: "string" } } });
const KiB = 1024;
const MiB = 1024 * KiB;
const [MAP_READ, MAP_WRITE, COPY_SRC, COPY_DST, STORAGE] = [1, 2, 4, 8, 128];
const [T_BINDING, T_ATTACHMENT] = [4, 16];

const buffers =
  (count, size, usage, more = {}) =>
  async ({ device }) => {
    const made = [];
    const encoder = device.createCommandEncoder();
    for (let n = 0; n < count; n++) {
      const buffer = device.createBuffer({ size, usage, ...more });
      if (more.mappedAtCreation) new Uint8Array(buffer.getMappedRange()).fill(1);
      else encoder.clearBuffer(buffer);
      made.push(buffer);
    }
    device.queue.submit([encoder.finish()]);
    return made;
  };

/** Written by the GPU, every level, layer and sample. */
const textures =
  (count, descriptor) =>
  async ({ device }) => {
    const made = [];
    const depth = /depth|stencil/.test(descriptor.format);
    const [, , layers = 1] = descriptor.size;
    const encoder = device.createCommandEncoder();
    for (let n = 0; n < count; n++) {
      const texture = device.createTexture({ usage: T_ATTACHMENT | T_BINDING, ...descriptor });
      made.push(texture);
      for (let baseMipLevel = 0; baseMipLevel < (descriptor.mipLevelCount ?? 1); baseMipLevel++)
        for (let layer = 0; layer < layers; layer++) {
          const volume = descriptor.dimension === "3d";
          if (volume && layer >= Math.max(1, layers >> baseMipLevel)) continue;
          const view = texture.createView({
            dimension: volume ? "3d" : "2d",
            baseMipLevel,
            mipLevelCount: 1,
            ...(volume ? {} : { baseArrayLayer: layer, arrayLayerCount: 1 }),
          });
          const pass = depth
            ? { colorAttachments: [], depthStencilAttachment: { view, ...depthOf(descriptor.format) } }
            : {
                colorAttachments: [
                  {
                    view,
                    ...(volume ? { depthSlice: layer } : {}),
                    clearValue: [1, 1, 1, 1],
                    loadOp: "clear",
                    storeOp: "store",
                  },
                ],
              };
          encoder.beginRenderPass(pass).end();
        }
    }
    device.queue.submit([encoder.finish()]);
    return made;
  };

const depthOf = (format) => ({
  ...(format.includes("depth") ? { depthClearValue: 1, depthLoadOp: "clear", depthStoreOp: "store" } : {}),
  ...(format.includes("stencil")
    ? { stencilClearValue: 1, stencilLoadOp: "clear", stencilStoreOp: "store" }
    : {}),
});

const code = (n, lines) => `
  @group(0) @binding(0) var<storage, read_write> values: array<f32>;
  @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
    var x = f32(id.x) + ${n}.0;
    ${Array.from({ length: lines }, (_, l) => `x = x * ${l}.5 + sin(x + ${n + l}.25) - values[${l % 64}];`).join("\n    ")}
    values[id.x] = x;
  }`;

const modules =
  (count, lines) =>
  async ({ device, round }) =>
    Array.from({ length: count }, (_, n) =>
      device.createShaderModule({ code: code(1000 * round + n, lines) }),
    );

const pipelines =
  (count, lines) =>
  async ({ device, round }) => {
    const made = [];
    const buffer = device.createBuffer({ size: 4096, usage: STORAGE });
    for (let n = 0; n < count; n++) {
      const module = device.createShaderModule({ code: code(1000 * round + n, lines) });
      const pipeline = device.createComputePipeline({ layout: "auto", compute: { module } });
      const group = device.createBindGroup({
        layout: pipeline.getBindGroupLayout(0),
        entries: [{ binding: 0, resource: { buffer } }],
      });
      const encoder = device.createCommandEncoder();
      const pass = encoder.beginComputePass();
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, group);
      pass.dispatchWorkgroups(1);
      pass.end();
      device.queue.submit([encoder.finish()]);
      made.push(module, pipeline);
    }
    return made;
  };

const renderPipelines =
  (count) =>
  async ({ device, round }) => {
    const made = [];
    const target = device.createTexture({ size: [16, 16], format: "rgba8unorm", usage: T_ATTACHMENT });
    for (let n = 0; n < count; n++) {
      const module = device.createShaderModule({
        code: `@vertex fn v(@builtin(vertex_index) i: u32) -> @builtin(position) vec4f { return vec4f(f32(i) * ${n}.0, ${round}, 0, 1); }
        @fragment fn f() -> @location(0) vec4f { return vec4f(${n}.0 / 300.0); }`,
      });
      const pipeline = device.createRenderPipeline({
        layout: "auto",
        vertex: { module },
        fragment: { module, targets: [{ format: "rgba8unorm" }] },
      });
      const encoder = device.createCommandEncoder();
      const view = target.createView();
      const pass = encoder.beginRenderPass({
        colorAttachments: [{ view, loadOp: "clear", storeOp: "store" }],
      });
      pass.setPipeline(pipeline);
      pass.draw(3);
      pass.end();
      device.queue.submit([encoder.finish()]);
      made.push(module, pipeline);
    }
    return made;
  };

const long = `
  @group(0) @binding(0) var<storage, read_write> values: array<u32>;
  @compute @workgroup_size(1) fn main() {
    for (var i = 0u; i < 400000000u; i++) { values[i & 1u] = values[0] * 1664525u + i; }
  }`;

const works = {
  "10 devices, used once": async ({ gpu }) => {
    const devices = [];
    for (let n = 0; n < 10; n++) {
      const device = await (await gpu.requestAdapter()).requestDevice();
      const encoder = device.createCommandEncoder();
      encoder.clearBuffer(device.createBuffer({ size: 4, usage: COPY_DST }));
      device.queue.submit([encoder.finish()]);
      await device.queue.onSubmittedWorkDone();
      devices.push(device);
    }
    return devices;
  },
  "10,000 buffers of 256 B": buffers(10_000, 256, STORAGE | COPY_DST),
  "4,000 buffers of 4 KiB": buffers(4000, 4 * KiB, STORAGE | COPY_DST),
  "2,000 buffers of 33 KiB": buffers(2000, 33 * KiB, STORAGE | COPY_DST),
  "64 buffers of 1 MiB": buffers(64, MiB, STORAGE | COPY_DST),
  "32 buffers of 3 MiB": buffers(32, 3 * MiB, STORAGE | COPY_DST),
  "8 buffers of 32 MiB": buffers(8, 32 * MiB, STORAGE | COPY_DST),
  "4,000 buffers of 1 KiB for reading back": buffers(4000, KiB, MAP_READ | COPY_DST),
  "8 mapped buffers of 16 MiB": buffers(8, 16 * MiB, MAP_WRITE | COPY_SRC, { mappedAtCreation: true }),
  "40 textures rgba8 1024²": textures(40, { size: [1024, 1024], format: "rgba8unorm" }),
  "40 textures rgba8 1000×700": textures(40, { size: [1000, 700], format: "rgba8unorm" }),
  "8 textures rgba8 2048², 12 levels": textures(8, {
    size: [2048, 2048],
    format: "rgba8unorm",
    mipLevelCount: 12,
  }),
  "8 textures rgba16float 1024², 6 layers": textures(8, { size: [1024, 1024, 6], format: "rgba16float" }),
  "8 textures rgba8 1024², 4 samples": textures(8, {
    size: [1024, 1024],
    format: "rgba8unorm",
    sampleCount: 4,
    usage: T_ATTACHMENT,
  }),
  "8 textures rgba8 128³": textures(8, { size: [128, 128, 128], dimension: "3d", format: "rgba8unorm" }),
  "16 textures depth24plus-stencil8 1024²": textures(16, {
    size: [1024, 1024],
    format: "depth24plus-stencil8",
  }),
  "16 textures depth32float 1024²": textures(16, { size: [1024, 1024], format: "depth32float" }),
  "2,000 textures rgba8 16²": textures(2000, { size: [16, 16], format: "rgba8unorm" }),
  "100 query sets of 1024": async ({ device }) =>
    Array.from({ length: 100 }, () => device.createQuerySet({ type: "occlusion", count: 1024 })),
  "200 shader modules of 8 lines": modules(200, 8),
  "50 shader modules of 200 lines": modules(50, 200),
  "100 compute pipelines of 8 lines": pipelines(100, 8),
  "25 compute pipelines of 200 lines": pipelines(25, 200),
  "100 render pipelines": renderPipelines(100),
  "64 MiB of writes in flight": async ({ device }) => {
    const buffer = device.createBuffer({ size: 4 * MiB, usage: STORAGE | COPY_DST });
    // They stay in flight until the GPU has done this.
    const module = device.createShaderModule({ code: long });
    const pipeline = device.createComputePipeline({ layout: "auto", compute: { module } });
    const layout = pipeline.getBindGroupLayout(0);
    const group = device.createBindGroup({ layout, entries: [{ binding: 0, resource: { buffer } }] });
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group);
    pass.dispatchWorkgroups(1);
    pass.end();
    device.queue.submit([encoder.finish()]);
    const data = new Uint8Array(4 * MiB).fill(3);
    for (let n = 0; n < 16; n++) device.queue.writeBuffer(buffer, 0, data);
    // Answered when the writes before have been read.
    device.pushErrorScope("internal");
    await device.popErrorScope();
    return [buffer];
  },
};

const settle = async (device) => {
  for (let n = 0; n < 3; n++) {
    device.queue.submit([]);
    await device.queue.onSubmittedWorkDone();
  }
};

/** What is freed goes back to the system at once: of what has been in flight glibc would keep some, as it likes. */
const givesBack = { MALLOC_MMAP_THRESHOLD_: "65536", MALLOC_TRIM_THRESHOLD_: "65536" };

/** How often a work is done beyond the first time: small ones, which are measured less exactly, more often. */
const timesOf = (bytes) => (bytes < 80 * MiB ? 4 : 1);

console.log(`${cpus().length} × ${cpus()[0]?.model}, Node ${process.versions.node}\n`);
console.log("| work | ledger, MiB | process, MiB | ledger / process |");
console.log("| --- | ---: | ---: | ---: |");
for (const [name, work] of Object.entries(works)) {
  if (values.only !== undefined && !name.includes(values.only)) continue;
  const flying = name.includes("in flight");
  const engine = await startEngine("software", { submissionMs: 600_000 }, flying ? givesBack : {});
  const adapter = await engine.gpu.requestAdapter();
  const device = await adapter.requestDevice();
  const kept = [];
  const look = async () => ({ counted: await engine.counted(), resident: engine.resident() });
  const resting = async () => {
    await settle(device);
    await engine.collect();
    await settle(device);
    return look();
  };
  const round = async (n) => {
    const made = await work({ gpu: engine.gpu, device, round: n });
    if (!flying) kept.push(made);
    return flying ? look() : resting();
  };
  let rest = await resting();
  let before = await round(1);
  const times = flying ? 4 : timesOf(before.counted - rest.counted);
  const sum = { counted: 0, resident: 0 };
  for (let n = 2; n < 2 + times; n++) {
    // What flies is compared with what is there when nothing does.
    if (flying) {
      rest = await resting();
      before = rest;
    }
    const after = await round(n);
    sum.counted += after.counted - before.counted;
    sum.resident += after.resident - before.resident;
    before = after;
  }
  const [counted, resident] = [sum.counted / times, sum.resident / times];
  const cells = [counted / MiB, resident / MiB, counted / resident].map((cell) => cell.toFixed(2));
  console.log(`| ${name} | ${cells.join(" | ")} |`);
  await engine.end();
}
process.exit(0);
