/** Encoders that take data or overloads, on top of the generated ones: data is cut into records, each written once. */
import { bufferSource, bufferSourceRange } from "./buffer-source.js";
import { enforceU64 } from "./convert.js";
import {
  bufferWriteMappedRecord,
  commandEncoderCopyBufferToBufferRecord,
  queueWriteBufferRecord,
  queueWriteTextureRecord,
} from "./generated/command-encode.js";
import {
  convertGPUTexelCopyBufferLayout,
  convertGPUTexelCopyTextureInfo,
} from "./generated/dictionary-convert.js";
import { InterfaceKind } from "./generated/numbers.js";
import type { ConvertedGPUTexelCopyBufferLayout } from "./generated/types.js";
import { MAX_DATA_CHUNK } from "./limits.js";
import { type Extent3D, toExtent3D } from "./shapes.js";
import type { CommandStream } from "./stream.js";

/** Bytes before the data in the records below, rounded up generously. */
const HEAD_BYTES = 64;

function chunkBytes(stream: CommandStream): number {
  return Math.min(MAX_DATA_CHUNK, (stream.tx.maxRecord - HEAD_BYTES) & ~7);
}

/**
 * GPUQueue.writeBuffer with its own arguments. Data beyond a chunk follows in records marked as continuation; the
 * first one carries the total, so that the engine can refuse all of it.
 * @throws TypeError; DOMException OperationError for a range outside of the data or not a multiple of 4 bytes
 */
export function queueWriteBuffer(
  stream: CommandStream,
  self: number,
  buffer: unknown,
  bufferOffset: unknown,
  data: unknown,
  dataOffset?: unknown,
  size?: unknown,
): void {
  const what = "GPUQueue.writeBuffer";
  stream.handle(buffer, InterfaceKind.GPUBuffer, "GPUBuffer", `${what}(buffer)`);
  const offset = enforceU64(bufferOffset, `${what}(bufferOffset)`);
  const bytes = bufferSourceRange(data, dataOffset, size, what);
  if (bytes.length % 4 !== 0) {
    throw new DOMException(`${what}: ${bytes.length} bytes are not a multiple of 4`, "OperationError");
  }
  const most = chunkBytes(stream);
  let at = 0;
  do {
    const chunk = bytes.subarray(at, at + most);
    // No buffer reaches so far: what comes behind the largest number on the wire is refused with the first piece.
    const place = Math.min(offset + at, Number.MAX_SAFE_INTEGER);
    queueWriteBufferRecord(stream, self, buffer, place, bytes.length, at > 0, chunk);
    at += chunk.length;
  } while (at < bytes.length);
}

/** Contents of a mapped range, before the buffer is unmapped. @param offset bytes from the buffer's start */
export function bufferWriteMapped(
  stream: CommandStream,
  self: number,
  offset: number,
  data: Uint8Array,
): void {
  const most = chunkBytes(stream);
  for (let at = 0; at < data.length; at += most) {
    bufferWriteMappedRecord(stream, self, offset + at, data.subarray(at, at + most));
  }
}

/** GPUQueue.writeTexture with its own arguments. Data that no copy of this size can read is not sent. @throws TypeError */
export function queueWriteTexture(
  stream: CommandStream,
  self: number,
  destination: unknown,
  data: unknown,
  dataLayout: unknown,
  size: unknown,
): void {
  const what = "GPUQueue.writeTexture";
  const info = convertGPUTexelCopyTextureInfo(destination);
  const bytes = bufferSource(data, `${what}(data)`);
  const layout = convertGPUTexelCopyBufferLayout(dataLayout);
  const extent = toExtent3D(size, `${what}(size)`);
  if (layout.offset > bytes.length) {
    queueWriteTextureRecord(stream, self, info, layout, extent, bytes.subarray(0, 0));
    return;
  }
  const most = Math.min(bytes.length - layout.offset, mostBytes(layout, extent));
  const read = bytes.subarray(layout.offset, layout.offset + most);
  queueWriteTextureRecord(stream, self, info, { ...layout, offset: 0 }, extent, read);
}

/** No format has more than 16 bytes a block, and no block is smaller than a texel. */
const MOST_BYTES_PER_TEXEL = 16;

/** An upper bound of what the copy reads behind the layout's offset, whatever the texture's format is. */
function mostBytes(layout: ConvertedGPUTexelCopyBufferLayout, extent: Extent3D): number {
  const row = Math.max(layout.bytesPerRow ?? 0, extent.width * MOST_BYTES_PER_TEXEL);
  const rows = Math.max(layout.rowsPerImage ?? 0, extent.height);
  return row * rows * Math.max(1, extent.depthOrArrayLayers);
}

/** Both overloads: (source, destination, size) and (source, offset, destination, offset, size). @throws TypeError */
export function commandEncoderCopyBufferToBuffer(
  stream: CommandStream,
  self: number,
  source: unknown,
  sourceOffsetOrDestination: unknown,
  destinationOrSize?: unknown,
  destinationOffset?: unknown,
  size?: unknown,
): void {
  if (stream.kindOf(sourceOffsetOrDestination) === InterfaceKind.GPUBuffer) {
    const [destination, all] = [sourceOffsetOrDestination, destinationOrSize];
    commandEncoderCopyBufferToBufferRecord(stream, self, source, 0, destination, 0, all);
    return;
  }
  const [from, destination] = [sourceOffsetOrDestination, destinationOrSize];
  commandEncoderCopyBufferToBufferRecord(stream, self, source, from, destination, destinationOffset, size);
}
