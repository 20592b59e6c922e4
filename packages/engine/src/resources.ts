/** Creation of what takes GPU memory: made by Dawn, charged to the device. */
import type { EngineDevice } from "./device.js";
import { textureBytes } from "./texture-size.js";

/** A query's result is a 64-bit number. */
const QUERY_BYTES = 8;

export function createBuffer(
  { dawn, limits, memory }: EngineDevice,
  descriptor: GPUBufferDescriptor,
): GPUBuffer {
  // An invalid buffer has any size it likes and takes no memory; the rest of what makes one invalid is Dawn's secret.
  const possible = descriptor.size <= (limits["maxBufferSize"] ?? 0) && descriptor.usage !== 0;
  const buffer = createBufferOrError(
    dawn,
    possible ? descriptor : { ...descriptor, mappedAtCreation: false },
  );
  if (possible) memory.hold(buffer, descriptor.size);
  return buffer;
}

/**
 * Dawn throws a RangeError when memory for the initial mapping is missing. The application has its mapping, in its
 * own memory; what it is to learn is the error that the buffer itself gives, and an unmapped one gives that too.
 */
function createBufferOrError(device: GPUDevice, descriptor: GPUBufferDescriptor): GPUBuffer {
  try {
    return device.createBuffer(descriptor);
  } catch (error) {
    if (!(error instanceof RangeError) || descriptor.mappedAtCreation !== true) throw error;
    return device.createBuffer({ ...descriptor, mappedAtCreation: false });
  }
}

export function createTexture(
  { dawn, limits, memory }: EngineDevice,
  descriptor: GPUTextureDescriptor,
): GPUTexture {
  const texture = dawn.createTexture(descriptor);
  const plane = limits["maxTextureDimension2D"] ?? 0;
  const depth = Math.max(limits["maxTextureArrayLayers"] ?? 0, limits["maxTextureDimension3D"] ?? 0);
  const { width, height, depthOrArrayLayers, mipLevelCount } = texture;
  const fits = Math.max(width, height) <= plane && depthOrArrayLayers <= depth && mipLevelCount <= 32;
  if (fits && descriptor.usage !== 0) memory.hold(texture, textureBytes(texture));
  return texture;
}

export function createQuerySet(
  { dawn, memory }: EngineDevice,
  descriptor: GPUQuerySetDescriptor,
): GPUQuerySet {
  const querySet = dawn.createQuerySet(descriptor);
  memory.hold(querySet, descriptor.count * QUERY_BYTES);
  return querySet;
}
