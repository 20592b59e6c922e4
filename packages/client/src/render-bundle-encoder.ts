// biome-ignore-all lint/complexity/noArguments: WebIDL counts arguments, and a rest parameter allocates.
/** GPURenderBundleEncoder: draws that are recorded once and executed in many passes. */
import { encode, HANDLE, InterfaceKind, OWNER } from "parhelion-protocol";
import { create } from "./creation.js";
import { defineInterface, requireArguments } from "./interface/define.js";
import { GPUObjectBase } from "./interface/object-base.js";
import { GPURenderBundle } from "./opaque-objects.js";

export class GPURenderBundleEncoder extends GPUObjectBase {
  finish(descriptor: unknown = {}): GPURenderBundle {
    return create(this[OWNER], GPURenderBundle, (stream, id) =>
      encode.renderBundleEncoderFinish(stream, this[HANDLE], id, descriptor),
    );
  }

  setPipeline(pipeline: unknown): void {
    encode.renderBundleEncoderSetPipeline(this[OWNER].stream, this[HANDLE], pipeline);
  }

  setIndexBuffer(buffer: unknown, indexFormat: unknown, offset: unknown = 0, size?: unknown): void {
    encode.renderBundleEncoderSetIndexBuffer(
      this[OWNER].stream,
      this[HANDLE],
      buffer,
      indexFormat,
      offset,
      size,
    );
  }

  setVertexBuffer(slot: unknown, buffer: unknown, offset: unknown = 0, size?: unknown): void {
    requireArguments("GPURenderBundleEncoder.setVertexBuffer", arguments.length, 2);
    encode.renderBundleEncoderSetVertexBuffer(this[OWNER].stream, this[HANDLE], slot, buffer, offset, size);
  }

  draw(
    vertexCount: unknown,
    instanceCount: unknown = 1,
    firstVertex: unknown = 0,
    firstInstance: unknown = 0,
  ): void {
    encode.renderBundleEncoderDraw(
      this[OWNER].stream,
      this[HANDLE],
      vertexCount,
      instanceCount,
      firstVertex,
      firstInstance,
    );
  }

  drawIndexed(
    indexCount: unknown,
    instanceCount: unknown = 1,
    firstIndex: unknown = 0,
    baseVertex: unknown = 0,
    firstInstance: unknown = 0,
  ): void {
    encode.renderBundleEncoderDrawIndexed(
      this[OWNER].stream,
      this[HANDLE],
      indexCount,
      instanceCount,
      firstIndex,
      baseVertex,
      firstInstance,
    );
  }

  drawIndirect(indirectBuffer: unknown, indirectOffset: unknown): void {
    encode.renderBundleEncoderDrawIndirect(this[OWNER].stream, this[HANDLE], indirectBuffer, indirectOffset);
  }

  drawIndexedIndirect(indirectBuffer: unknown, indirectOffset: unknown): void {
    encode.renderBundleEncoderDrawIndexedIndirect(
      this[OWNER].stream,
      this[HANDLE],
      indirectBuffer,
      indirectOffset,
    );
  }

  setBindGroup(
    index: unknown,
    bindGroup: unknown,
    dynamicOffsets?: unknown,
    dynamicOffsetsDataStart?: unknown,
    dynamicOffsetsDataLength?: unknown,
  ): void {
    requireArguments("GPURenderBundleEncoder.setBindGroup", arguments.length, 2);
    encode.renderBundleEncoderSetBindGroup(
      this[OWNER].stream,
      this[HANDLE],
      index,
      bindGroup,
      dynamicOffsets,
      dynamicOffsetsDataStart,
      dynamicOffsetsDataLength,
    );
  }

  setImmediates(rangeOffset: unknown, data: unknown, dataOffset: unknown = 0, dataSize?: unknown): void {
    encode.renderBundleEncoderSetImmediates(
      this[OWNER].stream,
      this[HANDLE],
      rangeOffset,
      data,
      dataOffset,
      dataSize,
    );
  }

  pushDebugGroup(groupLabel: unknown): void {
    requireArguments("GPURenderBundleEncoder.pushDebugGroup", arguments.length, 1);
    encode.renderBundleEncoderPushDebugGroup(this[OWNER].stream, this[HANDLE], groupLabel);
  }

  popDebugGroup(): void {
    encode.renderBundleEncoderPopDebugGroup(this[OWNER].stream, this[HANDLE]);
  }

  insertDebugMarker(markerLabel: unknown): void {
    requireArguments("GPURenderBundleEncoder.insertDebugMarker", arguments.length, 1);
    encode.renderBundleEncoderInsertDebugMarker(this[OWNER].stream, this[HANDLE], markerLabel);
  }
}
defineInterface(GPURenderBundleEncoder, "GPURenderBundleEncoder", {
  kind: InterfaceKind.GPURenderBundleEncoder,
  lengths: { setBindGroup: 2, setIndexBuffer: 2, setVertexBuffer: 2 },
});
