// What the specification does not say: which methods become commands of another shape, what stays in the client, what
// makes no sense without a page. Everything that is not named here is generated from the specification as it stands.

/** Methods and attributes the client answers by itself or over the node. Name → how. */
export const LOCAL = {
  GPU: {
    requestAdapter: "over the node",
    getPreferredCanvasFormat: "a constant",
    wgslLanguageFeatures: "known from the host",
  },
  GPUAdapter: {
    requestDevice: "over the node",
    features: "known from the host",
    limits: "known from the host",
    info: "known from the host",
  },
  GPUBuffer: { getMappedRange: "views the client's copy of the range" },
  WGSLLanguageFeatures: {},
};

/** Left out, with the reason that coverage.json gives. Members of interfaces, then whole interfaces. */
export const LEFT_OUT_MEMBERS = {
  GPUDevice: { importExternalTexture: "video frames exist in a page only" },
  GPUQueue: { copyExternalImageToTexture: "images, video and canvases exist in a page only" },
};
export const LEFT_OUT_INTERFACES = {
  GPUCanvasContext: "a canvas exists in a page only",
  GPUExternalTexture: "video frames exist in a page only",
};
export const LEFT_OUT_DICTIONARIES = {
  GPUExternalTextureDescriptor: "video frames exist in a page only",
  GPUCopyExternalImageDestInfo: "images, video and canvases exist in a page only",
  GPUCopyExternalImageSourceInfo: "images, video and canvases exist in a page only",
  GPUCanvasToneMapping: "a canvas exists in a page only",
  GPUCanvasConfiguration: "a canvas exists in a page only",
  GPUOrigin2DDict: "used by copyExternalImageToTexture alone",
  GPUUncapturedErrorEventInit: "its one member is an object of the client",
};
export const LEFT_OUT_ENUMS = {
  GPUCanvasAlphaMode: "a canvas exists in a page only",
  GPUCanvasToneMappingMode: "a canvas exists in a page only",
};

/** Unions that always travel as all their numbers: typedef → functions of shapes.ts and their wire form. */
export const SHAPES = {
  GPUExtent3D: { members: ["width", "height", "depthOrArrayLayers"], wire: "u32", type: "Extent3D" },
  GPUOrigin3D: { members: ["x", "y", "z"], wire: "u32", type: "Origin3D" },
  GPUColor: { members: ["r", "g", "b", "a"], wire: "f64", type: "Color" },
};

/** Dictionaries that the client itself reads: a `convert…` is generated for them. */
export const CONVERTED = [
  "GPURequestAdapterOptions",
  "GPUDeviceDescriptor",
  "GPUBufferDescriptor",
  "GPUTextureDescriptor",
  "GPUQuerySetDescriptor",
  "GPUTexelCopyTextureInfo",
  "GPUTexelCopyBufferLayout",
  "GPUPipelineErrorInit",
];

/** Enums whose values are not all good on every device: the stream's method that knows. */
export const CHECKED_ENUMS = { GPUTextureFormat: "textureFormat" };

/** Strings that the specification checks as WebIDL would check an enum: the function of checks.ts. */
export const CHECKED_TEXTS = { "GPUTextureViewDescriptor.swizzle": "toSwizzle" };

/** Never on the wire: members are converted, not encoded. */
export const CLIENT_DICTIONARIES = [
  "GPURequestAdapterOptions",
  "GPUDeviceDescriptor",
  "GPUQueueDescriptor",
  "GPUPipelineErrorInit",
];

/** The specification's methods that commands of another shape below stand for, so that no codec is made from them. */
export const REPLACED = {
  GPUDevice: ["popErrorScope", "createComputePipelineAsync", "createRenderPipelineAsync"],
  GPUBuffer: ["mapAsync"],
  GPUShaderModule: ["getCompilationInfo"],
  GPUQueue: ["onSubmittedWorkDone", "writeBuffer", "writeTexture"],
  GPUCommandEncoder: ["copyBufferToBuffer"],
};

/**
 * The commands designed by hand, in the language of the specification. `Request` numbers come back in events. `Payload`
 * is bytes that are read in the record; it comes last. `NewId` is a handle that the command gives an object.
 * Commands of `Stream` belong to no object.
 */
export const COMMANDS = `
  typedef unsigned long Request;
  interface GPUDevice {
    undefined popErrorScope(Request request);
    undefined createComputePipelineAsync(NewId id, Request request, GPUComputePipelineDescriptor descriptor);
    undefined createRenderPipelineAsync(NewId id, Request request, GPURenderPipelineDescriptor descriptor);
  };
  interface GPUBuffer {
    undefined mapAsync(Request request, GPUMapModeFlags mode, optional GPUSize64 offset = 0, optional GPUSize64 size);
    undefined writeMapped(Number64 offset, Payload data);
  };
  interface GPUShaderModule {
    undefined getCompilationInfo(Request request);
  };
  interface GPUCommandEncoder {
    undefined copyBufferToBuffer(GPUBuffer source, GPUSize64 sourceOffset, GPUBuffer destination,
      GPUSize64 destinationOffset, optional GPUSize64 size);
  };
  interface GPUQueue {
    undefined onSubmittedWorkDone(Request request);
    undefined writeBuffer(GPUBuffer buffer, Number64 bufferOffset, Number64 total, boolean continuation, Payload data);
    undefined writeTexture(GPUTexelCopyTextureInfo destination, GPUTexelCopyBufferLayout dataLayout, GPUExtent3D size, Payload data);
  };
  interface Stream {
    undefined release(Number32 id);
    undefined importObject(Number32 id, Number32 kind, Number32 queue, Number32 other);
    undefined setLabel(Number32 id, USVString label);
  };
`;

/** Methods whose codec is support code under src/webgpu, because of their speed: hot, and of variable size. */
export const BY_HAND = ["setBindGroup", "setImmediates"];

/** Encoders by hand on top of the generated one, which is called `…Record`: overloads, and data for several records. */
export const WRAPPED = [
  "commandEncoderCopyBufferToBuffer",
  "bufferWriteMapped",
  "queueWriteBuffer",
  "queueWriteTexture",
];

/** Commands that give a handle an object later. */
export const RESERVES = {
  deviceCreateComputePipelineAsync: "GPUComputePipeline",
  deviceCreateRenderPipelineAsync: "GPURenderPipeline",
};

/** Replayed by the engine's SpecialCommands instead of the object's own method, and why. */
export const SPECIAL = {
  deviceDestroy: "the engine ends the queue as well",
  deviceCreateBuffer: "memory is charged to the slice",
  deviceCreateTexture: "memory is charged to the slice",
  deviceCreateQuerySet: "memory is charged to the slice",
  bufferDestroy: "memory goes back to the slice",
  textureDestroy: "memory goes back to the slice",
  querySetDestroy: "memory goes back to the slice",
  textureCreateView: "a view keeps its texture's memory",
  commandEncoderFinish: "a command buffer keeps the memory of what it uses",
  queueSubmit: "submits are counted: the progress fence",
  devicePopErrorScope: "answers by an event",
  deviceCreateComputePipelineAsync: "answers by an event",
  deviceCreateRenderPipelineAsync: "answers by an event",
  bufferMapAsync: "answers by events with the contents",
  bufferUnmap: "the mapped range is the engine's",
  bufferWriteMapped: "the mapped range is the engine's",
  shaderModuleGetCompilationInfo: "answers by an event",
  queueOnSubmittedWorkDone: "answers by an event",
  queueWriteBuffer: "one write may come in several records",
  queueWriteTexture: "Dawn takes no shared memory",
  release: "the engine may account for it",
  importObject: "the engine knows the other queue",
};

/** What the engine sends, designed by hand: the reader calls a handler of the same name. */
export const EVENTS = `
  enum MapResult { "ok", "error" };
  enum ErrorScopeResult { "none", "validation", "out-of-memory", "internal", "error" };
  enum PipelineResult { "ok", "validation", "internal" };
  typedef unsigned long Request;
  dictionary CompilationMessage {
    required DOMString message;
    required GPUCompilationMessageType type;
    required unsigned long long lineNum;
    required unsigned long long linePos;
    required unsigned long long offset;
    required unsigned long long length;
  };
  interface Events {
    undefined replyWorkDone(Request request);
    undefined replyMap(Request request, MapResult result, Number64 total, DOMString name, DOMString message);
    undefined mapData(Request request, boolean last, Number64 offset, Payload data);
    undefined replyErrorScope(Request request, ErrorScopeResult result, DOMString message);
    undefined replyPipeline(Request request, PipelineResult result, DOMString message);
    undefined replyCompilationInfo(Request request, sequence<CompilationMessage> messages);
    undefined uncapturedError(GPUErrorFilter kind, DOMString message);
    undefined deviceLost(GPUDeviceLostReason reason, DOMString message);
  };
`;

/** Named values that fuzzing should know beside the numbers. */
export const FUZZ_WORDS = [0, 1, 2, 3, 7, 8, 0x7fffffff, 0x80000000, 0xffffffff];
