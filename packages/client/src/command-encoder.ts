// biome-ignore-all lint/complexity/noArguments: WebIDL counts arguments, and a rest parameter allocates.
/** GPUCommandEncoder: passes and copies, written as records in the order they are called. */
import { encode, HANDLE, InterfaceKind, OWNER } from "parhelion-protocol";
import { GPUComputePassEncoder } from "./compute-pass.js";
import { create } from "./creation.js";
import { defineInterface, requireArguments } from "./interface/define.js";
import { GPUObjectBase } from "./interface/object-base.js";
import { GPUCommandBuffer } from "./opaque-objects.js";
import { GPURenderPassEncoder } from "./render-pass.js";

export class GPUCommandEncoder extends GPUObjectBase {
  beginRenderPass(descriptor: unknown): GPURenderPassEncoder {
    return create(this[OWNER], GPURenderPassEncoder, (stream, id) =>
      encode.commandEncoderBeginRenderPass(stream, this[HANDLE], id, descriptor),
    );
  }

  beginComputePass(descriptor: unknown = {}): GPUComputePassEncoder {
    return create(this[OWNER], GPUComputePassEncoder, (stream, id) =>
      encode.commandEncoderBeginComputePass(stream, this[HANDLE], id, descriptor),
    );
  }

  finish(descriptor: unknown = {}): GPUCommandBuffer {
    return create(this[OWNER], GPUCommandBuffer, (stream, id) =>
      encode.commandEncoderFinish(stream, this[HANDLE], id, descriptor),
    );
  }

  copyBufferToBuffer(
    source: unknown,
    sourceOffsetOrDestination: unknown,
    destinationOrSize?: unknown,
    destinationOffset?: unknown,
    size?: unknown,
  ): void {
    encode.commandEncoderCopyBufferToBuffer(
      this[OWNER].stream,
      this[HANDLE],
      source,
      sourceOffsetOrDestination,
      destinationOrSize,
      destinationOffset,
      size,
    );
  }

  copyBufferToTexture(source: unknown, destination: unknown, copySize: unknown): void {
    encode.commandEncoderCopyBufferToTexture(this[OWNER].stream, this[HANDLE], source, destination, copySize);
  }

  copyTextureToBuffer(source: unknown, destination: unknown, copySize: unknown): void {
    encode.commandEncoderCopyTextureToBuffer(this[OWNER].stream, this[HANDLE], source, destination, copySize);
  }

  copyTextureToTexture(source: unknown, destination: unknown, copySize: unknown): void {
    encode.commandEncoderCopyTextureToTexture(
      this[OWNER].stream,
      this[HANDLE],
      source,
      destination,
      copySize,
    );
  }

  clearBuffer(buffer: unknown, offset: unknown = 0, size?: unknown): void {
    encode.commandEncoderClearBuffer(this[OWNER].stream, this[HANDLE], buffer, offset, size);
  }

  resolveQuerySet(
    querySet: unknown,
    firstQuery: unknown,
    queryCount: unknown,
    destination: unknown,
    destinationOffset: unknown,
  ): void {
    encode.commandEncoderResolveQuerySet(
      this[OWNER].stream,
      this[HANDLE],
      querySet,
      firstQuery,
      queryCount,
      destination,
      destinationOffset,
    );
  }

  pushDebugGroup(groupLabel: unknown): void {
    requireArguments("GPUCommandEncoder.pushDebugGroup", arguments.length, 1);
    encode.commandEncoderPushDebugGroup(this[OWNER].stream, this[HANDLE], groupLabel);
  }

  popDebugGroup(): void {
    encode.commandEncoderPopDebugGroup(this[OWNER].stream, this[HANDLE]);
  }

  insertDebugMarker(markerLabel: unknown): void {
    requireArguments("GPUCommandEncoder.insertDebugMarker", arguments.length, 1);
    encode.commandEncoderInsertDebugMarker(this[OWNER].stream, this[HANDLE], markerLabel);
  }
}
defineInterface(GPUCommandEncoder, "GPUCommandEncoder", {
  kind: InterfaceKind.GPUCommandEncoder,
  lengths: { copyBufferToBuffer: 2, clearBuffer: 1 },
});
