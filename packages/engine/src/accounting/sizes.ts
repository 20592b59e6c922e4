/**
 * What objects cost, in bytes: what their memory is for, what the allocator adds, and what the driver and Dawn keep for each.
 * Sources of the numbers: Dawn's Vulkan backend for how it allocates; the rest was measured on SwiftShader with
 * `node bench/memory.mjs`, which prints how far they are off.
 */

/** Dawn gives what is smaller, and not mapped, a part of a shared heap: the next power of two. */
const SUBALLOCATED_BELOW = 4 * 2 ** 20;
/** The smallest such part: a driver aligns to no less. */
const SMALLEST_PART = 256;
const PAGE = 4096;

/** A device in Dawn and the driver: its queue, its allocators, the pipelines that Dawn makes for itself. */
export const DEVICE_BYTES = 2 * 2 ** 20;
/** Dawn's objects, the driver's and the ones in JavaScript for one buffer, one texture with a view, one query set. */
export const BUFFER_OBJECT_BYTES = 2048;
export const TEXTURE_OBJECT_BYTES = 5120;
export const QUERY_SET_OBJECT_BYTES = 2048;
/** SwiftShader keeps an object with a lock for every query; real GPUs need 8 to 32 bytes. */
const QUERY_BYTES = 640;
/** Dawn stages writes in rings of this size, and keeps the last. */
export const STAGING_RING_BYTES = 4 * 2 ** 20;

const MODULE_BYTES = 30 * 1024;
/** For each unit of source: syntax tree, resolved program, SPIR-V. A program's first lines bring the types and functions that the others use. */
const MODULE_FACTOR = { first: 210, further: 71 } as const;
/** How many are the first. */
const MODULE_FIRST = 1700;
const COMPUTE_PIPELINE_BYTES = 260 * 1024;
const RENDER_PIPELINE_BYTES = 24 * 1024;
/** For each unit of source of its modules: the transformed program and the machine code. */
const PIPELINE_FACTOR = 47;

const MAP_USAGES = 0x1 | 0x2;
const INDEX_OR_VERTEX = 0x10 | 0x20;

/**
 * "gpu": an allocation is memory. "cpu", as SwiftShader is: what is not touched of one takes no memory of the machine, so the unused
 * end of a part does not count, but for that of its last page. Its parts are further apart than pages are.
 */
export type MemoryKind = "gpu" | "cpu";

/** What an allocation of `bytes` takes. */
function allocation(bytes: number, mappable: boolean, kind: MemoryKind): number {
  // What is mapped has an allocation of its own, in the middle of a page.
  if (kind === "cpu" && mappable) return Math.ceil(bytes / SMALLEST_PART) * SMALLEST_PART;
  if (kind === "gpu" && !mappable && bytes < SUBALLOCATED_BELOW)
    return 2 ** Math.ceil(Math.log2(Math.max(SMALLEST_PART, bytes)));
  return Math.ceil(bytes / PAGE) * PAGE;
}

export function bufferBytes(size: number, usage: number, kind: MemoryKind): number {
  // Vulkan wants one byte behind a vertex or index buffer, so that an empty range at its end is valid.
  const padded = size + ((usage & INDEX_OR_VERTEX) === 0 ? 0 : 1);
  return allocation(padded, (usage & MAP_USAGES) !== 0, kind) + BUFFER_OBJECT_BYTES;
}

/** @param texels see textureBytes */
export function textureMemory(texels: number, kind: MemoryKind): number {
  return allocation(texels, false, kind) + TEXTURE_OBJECT_BYTES;
}

export function querySetBytes(count: number): number {
  return count * QUERY_BYTES + QUERY_SET_OBJECT_BYTES;
}

/** @param source length of the code in UTF-16 code units */
export function shaderModuleBytes(source: number): number {
  const first = Math.min(source, MODULE_FIRST);
  return MODULE_BYTES + MODULE_FACTOR.first * first + MODULE_FACTOR.further * (source - first);
}

/** @param source lengths of its modules' codes together */
export function pipelineBytes(kind: "compute" | "render", source: number): number {
  return (kind === "compute" ? COMPUTE_PIPELINE_BYTES : RENDER_PIPELINE_BYTES) + PIPELINE_FACTOR * source;
}

/** What Dawn's staging holds while it has `bytes` of writes. Nothing before the first write. */
export function stagingBytes(bytes: number): number {
  return Math.max(1, Math.ceil(bytes / STAGING_RING_BYTES)) * STAGING_RING_BYTES;
}
