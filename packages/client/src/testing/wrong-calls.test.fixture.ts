/** Calls that WebGPU refuses, one way or the other. Whatever Dawn's binding answers, the client has to answer. */
import { calls, computePass, renderPass, type WrongCall, wgsl, wrong } from "./wrong-call.test.fixture.js";
import { bufferCalls, queueCalls } from "./wrong-data-calls.test.fixture.js";

const objects = calls({
  "createTexture without a size": ({ device }) =>
    device.createTexture(wrong({ format: "rgba8unorm", usage: 4 })),
  "createTexture with an empty size": ({ device }) =>
    device.createTexture({ size: [], format: "rgba8unorm", usage: 4 }),
  "createTexture of no format": ({ device }) => device.createTexture(wrong({ size: [4], usage: 4 })),
  "createTexture of an unknown format": ({ device }) =>
    device.createTexture({ size: [4], format: wrong("rgba9"), usage: 4 }),
  "createTexture of an unknown dimension": ({ device }) =>
    device.createTexture({ size: [4], format: "rgba8unorm", dimension: wrong("4d"), usage: 4 }),
  "createTexture of size 0": ({ device }) =>
    device.createTexture({ size: [0], format: "rgba8unorm", usage: 4 }),
  "createTexture of three samples": ({ device }) =>
    device.createTexture({ size: [4], format: "rgba8unorm", usage: 4, sampleCount: 3 }),
  "createView of too many mips": ({ texture }) => texture.createView({ mipLevelCount: 9 }),
  "createView of an unknown aspect": ({ texture }) => texture.createView({ aspect: wrong("colour") }),
  "createTexture of a format whose feature the device has not": ({ device }) =>
    device.createTexture({ size: [4, 4], format: "bc1-rgba-unorm", usage: 4 }),
  "createTexture with a view format whose feature the device has not": ({ device }) =>
    device.createTexture({ size: [4], format: "rgba8unorm", usage: 4, viewFormats: ["astc-4x4-unorm"] }),
  "createView of a format whose feature the device has not": ({ texture }) =>
    texture.createView({ format: "etc2-rgb8unorm" }),
  "createView with a swizzle of an unknown component": ({ texture }) =>
    texture.createView({ swizzle: "rgbA" }),
  "createView with a swizzle of five components": ({ texture }) => texture.createView({ swizzle: "rgba1" }),
  "createView with a swizzle whose feature the device has not": ({ texture }) =>
    texture.createView({ swizzle: "bgra" }),
  "createBindGroupLayout of a format whose feature the device has not": ({ device }) =>
    device.createBindGroupLayout({
      entries: [{ binding: 0, visibility: 4, storageTexture: { format: wrong("r16unorm") } }],
    }),
  "createRenderPipeline of a target whose feature the device has not": ({ device }) =>
    device.createRenderPipeline({
      layout: "auto",
      vertex: { module: device.createShaderModule({ code: wgsl }) },
      fragment: {
        module: device.createShaderModule({ code: wgsl }),
        targets: [{ format: wrong("rgba16snorm") }],
      },
    }),
  "createRenderPipelineAsync of a depth format whose feature the device has not": ({ device }) =>
    device.createRenderPipelineAsync({
      layout: "auto",
      vertex: { module: device.createShaderModule({ code: wgsl }) },
      depthStencil: { format: "depth32float-stencil8" },
    }),
  "createRenderBundleEncoder of a format whose feature the device has not": ({ device }) =>
    device.createRenderBundleEncoder({ colorFormats: [null, wrong("rg16unorm")] }),
  "createRenderBundleEncoder of a depth format whose feature the device has not": ({ device }) =>
    device.createRenderBundleEncoder({ colorFormats: [], depthStencilFormat: "depth32float-stencil8" }),
  "createSampler of an unknown filter": ({ device }) => device.createSampler({ magFilter: wrong("cubic") }),
  "createSampler with a negative clamp": ({ device }) => device.createSampler({ lodMinClamp: -1 }),
  "createSampler with a clamp of NaN": ({ device }) => device.createSampler({ lodMinClamp: Number.NaN }),
  "createSampler with anisotropy and nearest": ({ device }) => device.createSampler({ maxAnisotropy: 4 }),
  "createBindGroupLayout without entries": ({ device }) => device.createBindGroupLayout(wrong({})),
  "createBindGroupLayout with entries of null": ({ device }) =>
    device.createBindGroupLayout(wrong({ entries: null })),
  "createBindGroupLayout with an entry without visibility": ({ device }) =>
    device.createBindGroupLayout({ entries: [wrong({ binding: 0, buffer: {} })] }),
  "createBindGroupLayout with an unknown buffer type": ({ device }) =>
    device.createBindGroupLayout({
      entries: [{ binding: 0, visibility: 4, buffer: { type: wrong("heap") } }],
    }),
  "createBindGroupLayout with the same binding twice": ({ device }) =>
    device.createBindGroupLayout({
      entries: [
        { binding: 0, visibility: 4, buffer: {} },
        { binding: 0, visibility: 4, buffer: {} },
      ],
    }),
  "createPipelineLayout of numbers": ({ device }) =>
    device.createPipelineLayout({ bindGroupLayouts: [wrong(1)] }),
  "createBindGroup without a layout": ({ device }) => device.createBindGroup(wrong({ entries: [] })),
  "createBindGroup with a resource of null": ({ device }) =>
    device.createBindGroup({
      layout: device.createBindGroupLayout({ entries: [] }),
      entries: [{ binding: 0, resource: wrong(null) }],
    }),
  "createBindGroup with an empty resource": ({ device }) =>
    device.createBindGroup({
      layout: device.createBindGroupLayout({ entries: [] }),
      entries: [{ binding: 0, resource: wrong({}) }],
    }),
  "createBindGroup with more than the layout has": ({ device, copyDst }) =>
    device.createBindGroup({
      layout: device.createBindGroupLayout({ entries: [] }),
      entries: [{ binding: 0, resource: { buffer: copyDst } }],
    }),
  "createShaderModule without code": ({ device }) => device.createShaderModule(wrong({})),
  "createShaderModule of nonsense": ({ device }) => device.createShaderModule({ code: "nonsense" }),
  "createComputePipeline without a layout": ({ device }) =>
    device.createComputePipeline(wrong({ compute: { module: device.createShaderModule({ code: wgsl }) } })),
  "createComputePipeline with an unknown layout": ({ device }) =>
    device.createComputePipeline({
      layout: wrong("automatic"),
      compute: { module: device.createShaderModule({ code: wgsl }) },
    }),
  "createComputePipeline without a module": ({ device }) =>
    device.createComputePipeline({ layout: "auto", compute: wrong({}) }),
  "createComputePipeline of no such entry": ({ device }) =>
    device.createComputePipeline({
      layout: "auto",
      compute: { module: device.createShaderModule({ code: wgsl }), entryPoint: "other" },
    }),
  "createComputePipeline with a constant of NaN": ({ device }) =>
    device.createComputePipeline({
      layout: "auto",
      compute: { module: device.createShaderModule({ code: wgsl }), constants: { x: Number.NaN } },
    }),
  "createComputePipelineAsync of no such entry": ({ device }) =>
    device.createComputePipelineAsync({
      layout: "auto",
      compute: { module: device.createShaderModule({ code: wgsl }), entryPoint: "other" },
    }),
  "createComputePipelineAsync without a descriptor": ({ device }) =>
    device.createComputePipelineAsync(wrong()),
  "createRenderPipeline without a vertex stage": ({ device }) =>
    device.createRenderPipeline(wrong({ layout: "auto" })),
  "createRenderPipelineAsync without a vertex stage": ({ device }) =>
    device.createRenderPipelineAsync(wrong({ layout: "auto" })),
  "getBindGroupLayout without an index": ({ device }) =>
    device
      .createComputePipeline({
        layout: "auto",
        compute: { module: device.createShaderModule({ code: wgsl }) },
      })
      .getBindGroupLayout(wrong()),
  "getBindGroupLayout of index 99": ({ device }) =>
    device
      .createComputePipeline({
        layout: "auto",
        compute: { module: device.createShaderModule({ code: wgsl }) },
      })
      .getBindGroupLayout(99),
  "createQuerySet of an unknown type": ({ device }) =>
    device.createQuerySet({ type: wrong("pipeline"), count: 1 }),
  "createQuerySet of too many": ({ device }) => device.createQuerySet({ type: "occlusion", count: 99999 }),
  "createRenderBundleEncoder without formats": ({ device }) => device.createRenderBundleEncoder(wrong({})),
  "pushErrorScope of an unknown filter": ({ device }) => device.pushErrorScope(wrong("fatal")),
});

const commands = calls({
  "dispatchWorkgroups without arguments": (scene) => computePass(scene).dispatchWorkgroups(wrong()),
  "dispatchWorkgroups of -1": (scene) => computePass(scene).dispatchWorkgroups(-1),
  "dispatchWorkgroups of 2^32": (scene) => computePass(scene).dispatchWorkgroups(2 ** 32),
  "dispatchWorkgroups of a BigInt": (scene) => computePass(scene).dispatchWorkgroups(wrong(1n)),
  "dispatchWorkgroups without a pipeline": (scene) => {
    const pass = computePass(scene);
    pass.dispatchWorkgroups(1);
    pass.end();
    scene.encoder.finish();
  },
  "dispatchWorkgroups of a string": (scene) => void computePass(scene).dispatchWorkgroups(wrong("1")),
  "dispatchWorkgroupsIndirect of a texture": (scene) =>
    computePass(scene).dispatchWorkgroupsIndirect(wrong(scene.texture), 0),
  "setPipeline of nothing": (scene) => computePass(scene).setPipeline(wrong()),
  "setPipeline of null": (scene) => computePass(scene).setPipeline(wrong(null)),
  "setBindGroup with one argument": (scene) =>
    Reflect.apply(computePass(scene).setBindGroup, computePass(scene), [0]),
  "setBindGroup of a buffer": (scene) => computePass(scene).setBindGroup(0, wrong(scene.copyDst)),
  "setBindGroup of null": (scene) => void computePass(scene).setBindGroup(0, null),
  "setBindGroup with offsets that are a number": (scene) =>
    computePass(scene).setBindGroup(0, null, wrong(4)),
  "setBindGroup with a start beyond the offsets": (scene) =>
    computePass(scene).setBindGroup(0, null, new Uint32Array(2), 1, 2),
  "end twice": (scene) => {
    const pass = computePass(scene);
    pass.end();
    pass.end();
    scene.encoder.finish();
  },
  "finish with an open pass": (scene) => {
    computePass(scene);
    scene.encoder.finish();
  },
  "finish twice": ({ encoder }) => {
    encoder.finish();
    encoder.finish();
  },
  "pushDebugGroup without a label": ({ encoder }) => encoder.pushDebugGroup(wrong()),
  "popDebugGroup without a group": ({ encoder }) => {
    encoder.popDebugGroup();
    encoder.finish();
  },
  "beginRenderPass without attachments": ({ encoder }) => encoder.beginRenderPass(wrong({})),
  "beginRenderPass without a descriptor": ({ encoder }) => encoder.beginRenderPass(wrong()),
  "beginRenderPass with an unknown loadOp": ({ encoder, texture }) =>
    encoder.beginRenderPass({
      colorAttachments: [{ view: texture.createView(), loadOp: wrong("keep"), storeOp: "store" }],
    }),
  "setViewport of NaN": (scene) => renderPass(scene).setViewport(Number.NaN, 0, 1, 1, 0, 1),
  "setViewport of too few numbers": (scene) => renderPass(scene).setViewport(0, 0, 1, 1, 0, wrong()),
  "setScissorRect of -1": (scene) => renderPass(scene).setScissorRect(-1, 0, 1, 1),
  "setBlendConstant of three numbers": (scene) => renderPass(scene).setBlendConstant(wrong([0, 0, 0])),
  "setBlendConstant of an incomplete colour": (scene) => renderPass(scene).setBlendConstant(wrong({ r: 0 })),
  "setIndexBuffer of an unknown format": (scene) =>
    renderPass(scene).setIndexBuffer(scene.copyDst, wrong("uint8")),
  "setVertexBuffer with one argument": (scene) =>
    Reflect.apply(renderPass(scene).setVertexBuffer, renderPass(scene), [0]),
  "drawIndexed with a baseVertex of 2^31": (scene) => renderPass(scene).drawIndexed(1, 1, 0, 2 ** 31),
  "executeBundles of nothing": (scene) => renderPass(scene).executeBundles(wrong()),
  "copyBufferToBuffer of nothing": ({ encoder }) => Reflect.apply(encoder.copyBufferToBuffer, encoder, []),
  "copyBufferToBuffer of a negative size": ({ encoder, copyDst, readable }) =>
    encoder.copyBufferToBuffer(readable, 0, copyDst, 0, -4),
  "copyBufferToBuffer onto itself": ({ encoder, copyDst }) => {
    encoder.copyBufferToBuffer(copyDst, 0, copyDst, 0, 4);
    encoder.finish();
  },
  "copyBufferToTexture without a buffer": ({ encoder, texture }) =>
    encoder.copyBufferToTexture(wrong({}), { texture }, [1]),
  "clearBuffer of nothing": ({ encoder }) => encoder.clearBuffer(wrong()),
  "clearBuffer at offset 2": ({ encoder, copyDst }) => {
    encoder.clearBuffer(copyDst, 2);
    encoder.finish();
  },
  "resolveQuerySet of nothing": ({ encoder, copyDst }) => encoder.resolveQuerySet(wrong(), 0, 1, copyDst, 0),
});

const devices = calls({
  "requestDevice of an unknown feature": ({ adapter }) =>
    adapter.requestDevice({ requiredFeatures: [wrong("no-such-feature")] }),
  "requestDevice of an unknown limit": ({ adapter }) =>
    adapter.requestDevice({ requiredLimits: { maxFun: 1 } }),
  "requestDevice of a limit too high": ({ adapter }) =>
    adapter.requestDevice({ requiredLimits: { maxBindGroups: 1000 } }),
  "requestDevice of a negative limit": ({ adapter }) =>
    adapter.requestDevice({ requiredLimits: { maxBindGroups: -1 } }),
  "requestDevice twice": async ({ adapter }) => {
    await adapter.requestDevice();
    return adapter.requestDevice();
  },
  "popErrorScope of none": async ({ device }) => {
    const taken = device.popErrorScope();
    const none = device.popErrorScope();
    await taken;
    device.pushErrorScope("validation");
    return none;
  },
});

/** These end the process of Dawn's binding (0.6.2). What WebIDL says of them instead. */
export const fatalInDawn: ReadonlyMap<string, string> = new Map([
  ["createBuffer without a descriptor", "TypeError"],
  ["createBuffer with a symbol as label", "TypeError"],
  ["createBuffer with a getter that throws", "RangeError"],
  ["writeTexture without a size", "TypeError"],
  ["createTexture without a size", "TypeError"],
  ["createBindGroup with a resource of null", "TypeError"],
  ["createComputePipelineAsync without a descriptor", "TypeError"],
  ["createRenderPipeline without a vertex stage", "TypeError"],
  ["createRenderPipelineAsync without a vertex stage", "TypeError"],
  ["beginRenderPass without a descriptor", "TypeError"],
]);

/** What Dawn's binding lets through, or refuses in its own way, where WebIDL is clear. The conformance suite asks for WebIDL. */
export const againstWebIDLInDawn: ReadonlyMap<string, string> = new Map([
  ["writeTexture with an empty size", "TypeError"],
  ["writeTexture with a size of four", "TypeError"],
  ["createTexture with an empty size", "TypeError"],
  ["createShaderModule without code", "TypeError"],
  ["dispatchWorkgroups of a string", "nothing"],
  ["setBindGroup with one argument", "TypeError"],
  ["setViewport of NaN", "TypeError"],
  ["setBlendConstant of three numbers", "TypeError"],
  ["setVertexBuffer with one argument", "TypeError"],
]);

export const wrongCalls: readonly WrongCall[] = [
  ...bufferCalls,
  ...queueCalls,
  ...objects,
  ...commands,
  ...devices,
];
