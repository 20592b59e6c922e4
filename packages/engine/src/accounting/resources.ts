/**
 * Creation of buffers, textures and query sets: charged, then made by Dawn. What WebGPU says for memory that is missing: an
 * out-of-memory error, the object is invalid, the device lives on.
 */
import type { EngineDevice } from "../device.js";
import type { Admission } from "./admission.js";
import { bufferBytes, type MemoryKind, querySetBytes, textureMemory } from "./sizes.js";
import { textureBytes } from "./texture-size.js";

/** WebGPU's limit, which is no number of GPUSupportedLimits. */
const MAX_QUERIES = 4096;

export class Resources {
  readonly #device: EngineDevice;
  readonly #admission: Admission;
  readonly #kind: MemoryKind;

  constructor(device: EngineDevice, admission: Admission) {
    this.#device = device;
    this.#admission = admission;
    this.#kind = memoryKindOf(device.dawn);
  }

  /** @throws CommandDeferred */
  buffer(descriptor: GPUBufferDescriptor): GPUBuffer {
    const { dawn, limits, alive } = this.#device;
    // An invalid buffer has any size it likes and takes no memory; the rest of what makes one invalid is Dawn's secret.
    const possible = alive && descriptor.size <= (limits["maxBufferSize"] ?? 0) && descriptor.usage !== 0;
    // The application has its initial mapping in its own memory, whatever becomes of the buffer.
    if (!possible) return dawn.createBuffer({ ...descriptor, mappedAtCreation: false });
    return this.#charged(
      bufferBytes(descriptor.size, descriptor.usage, this.#kind),
      "createBuffer",
      () => createBufferOrError(dawn, descriptor),
      () => dawn.createBuffer({ ...descriptor, usage: 0, mappedAtCreation: false }),
    );
  }

  /** @throws CommandDeferred */
  texture(descriptor: GPUTextureDescriptor): GPUTexture {
    const { dawn, alive } = this.#device;
    const make = () => dawn.createTexture(descriptor);
    const shape = shapeOf(descriptor);
    if (!alive || descriptor.usage === 0 || !this.#fits(shape)) return make();
    return this.#charged(textureMemory(textureBytes(shape), this.#kind), "createTexture", make, () =>
      dawn.createTexture({ ...descriptor, usage: 0 }),
    );
  }

  /** @throws CommandDeferred */
  querySet(descriptor: GPUQuerySetDescriptor): GPUQuerySet {
    const { dawn, alive } = this.#device;
    const make = () => dawn.createQuerySet(descriptor);
    if (!alive || descriptor.count > MAX_QUERIES) return make();
    return this.#charged(querySetBytes(descriptor.count), "createQuerySet", make, () =>
      dawn.createQuerySet({ ...descriptor, count: 0xffff_ffff }),
    );
  }

  #charged<T extends object>(bytes: number, what: string, make: () => T, makeInvalid: () => T): T {
    const { account } = this.#device;
    const refused = this.#admission.memory(bytes, what);
    if (refused !== undefined) {
      const invalid = silently(this.#device.dawn, makeInvalid);
      this.#device.raise({ kind: "out-of-memory", message: refused });
      return invalid;
    }
    try {
      const object = make();
      account.hold(object, bytes);
      return object;
    } catch (error) {
      account.giveBack(bytes);
      throw error;
    }
  }

  #fits({ width, height, depthOrArrayLayers, mipLevelCount }: ReturnType<typeof shapeOf>): boolean {
    const { limits } = this.#device;
    const plane = limits["maxTextureDimension2D"] ?? 0;
    const depth = Math.max(limits["maxTextureArrayLayers"] ?? 0, limits["maxTextureDimension3D"] ?? 0);
    return Math.max(width, height) <= plane && depthOrArrayLayers <= depth && mipLevelCount <= 32;
  }
}

const ignore = () => undefined;

/** The validation error of something that is made to be invalid is nobody's. */
export function silently<T>(device: GPUDevice, make: () => T): T {
  device.pushErrorScope("validation");
  try {
    return make();
  } finally {
    device.popErrorScope().then(ignore, ignore);
  }
}

/** Dawn throws a RangeError when memory for the initial mapping is missing; the buffer's own error says it as well. */
function createBufferOrError(device: GPUDevice, descriptor: GPUBufferDescriptor): GPUBuffer {
  try {
    return device.createBuffer(descriptor);
  } catch (error) {
    if (!(error instanceof RangeError) || descriptor.mappedAtCreation !== true) throw error;
    return device.createBuffer({ ...descriptor, mappedAtCreation: false });
  }
}

export function memoryKindOf(device: GPUDevice): MemoryKind {
  return device.adapterInfo.isFallbackAdapter ? "cpu" : "gpu";
}

/** As decoded: sizes are three numbers, defaults are there. */
function shapeOf(descriptor: GPUTextureDescriptor) {
  const size = descriptor.size as readonly number[] | GPUExtent3DDict;
  const [width, height, depthOrArrayLayers] =
    "width" in size
      ? [size.width, size.height ?? 1, size.depthOrArrayLayers ?? 1]
      : [size[0] ?? 1, size[1] ?? 1, size[2] ?? 1];
  return {
    width,
    height,
    depthOrArrayLayers,
    mipLevelCount: descriptor.mipLevelCount ?? 1,
    sampleCount: descriptor.sampleCount ?? 1,
    dimension: descriptor.dimension ?? "2d",
    format: descriptor.format,
  };
}
