// biome-ignore-all lint/complexity/noArguments: WebIDL counts arguments, and a rest parameter allocates.
/** GPURenderPassEncoder: each method is one record, written where the engine will read it. */
import { encode, HANDLE, InterfaceKind, OWNER } from "parhelion-protocol";
import { defineInterface, requireArguments } from "./interface/define.js";
import { GPUObjectBase } from "./interface/object-base.js";

export class GPURenderPassEncoder extends GPUObjectBase {
  setViewport(
    x: unknown,
    y: unknown,
    width: unknown,
    height: unknown,
    minDepth: unknown,
    maxDepth: unknown,
  ): void {
    encode.renderPassEncoderSetViewport(
      this[OWNER].stream,
      this[HANDLE],
      x,
      y,
      width,
      height,
      minDepth,
      maxDepth,
    );
  }

  setScissorRect(x: unknown, y: unknown, width: unknown, height: unknown): void {
    encode.renderPassEncoderSetScissorRect(this[OWNER].stream, this[HANDLE], x, y, width, height);
  }

  setBlendConstant(color: unknown): void {
    encode.renderPassEncoderSetBlendConstant(this[OWNER].stream, this[HANDLE], color);
  }

  setStencilReference(reference: unknown): void {
    encode.renderPassEncoderSetStencilReference(this[OWNER].stream, this[HANDLE], reference);
  }

  beginOcclusionQuery(queryIndex: unknown): void {
    encode.renderPassEncoderBeginOcclusionQuery(this[OWNER].stream, this[HANDLE], queryIndex);
  }

  endOcclusionQuery(): void {
    encode.renderPassEncoderEndOcclusionQuery(this[OWNER].stream, this[HANDLE]);
  }

  executeBundles(bundles: unknown): void {
    encode.renderPassEncoderExecuteBundles(this[OWNER].stream, this[HANDLE], bundles);
  }

  end(): void {
    encode.renderPassEncoderEnd(this[OWNER].stream, this[HANDLE]);
  }

  setPipeline(pipeline: unknown): void {
    encode.renderPassEncoderSetPipeline(this[OWNER].stream, this[HANDLE], pipeline);
  }

  setIndexBuffer(buffer: unknown, indexFormat: unknown, offset: unknown = 0, size?: unknown): void {
    encode.renderPassEncoderSetIndexBuffer(
      this[OWNER].stream,
      this[HANDLE],
      buffer,
      indexFormat,
      offset,
      size,
    );
  }

  setVertexBuffer(slot: unknown, buffer: unknown, offset: unknown = 0, size?: unknown): void {
    requireArguments("GPURenderPassEncoder.setVertexBuffer", arguments.length, 2);
    encode.renderPassEncoderSetVertexBuffer(this[OWNER].stream, this[HANDLE], slot, buffer, offset, size);
  }

  draw(
    vertexCount: unknown,
    instanceCount: unknown = 1,
    firstVertex: unknown = 0,
    firstInstance: unknown = 0,
  ): void {
    encode.renderPassEncoderDraw(
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
    encode.renderPassEncoderDrawIndexed(
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
    encode.renderPassEncoderDrawIndirect(this[OWNER].stream, this[HANDLE], indirectBuffer, indirectOffset);
  }

  drawIndexedIndirect(indirectBuffer: unknown, indirectOffset: unknown): void {
    encode.renderPassEncoderDrawIndexedIndirect(
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
    requireArguments("GPURenderPassEncoder.setBindGroup", arguments.length, 2);
    encode.renderPassEncoderSetBindGroup(
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
    encode.renderPassEncoderSetImmediates(
      this[OWNER].stream,
      this[HANDLE],
      rangeOffset,
      data,
      dataOffset,
      dataSize,
    );
  }

  pushDebugGroup(groupLabel: unknown): void {
    requireArguments("GPURenderPassEncoder.pushDebugGroup", arguments.length, 1);
    encode.renderPassEncoderPushDebugGroup(this[OWNER].stream, this[HANDLE], groupLabel);
  }

  popDebugGroup(): void {
    encode.renderPassEncoderPopDebugGroup(this[OWNER].stream, this[HANDLE]);
  }

  insertDebugMarker(markerLabel: unknown): void {
    requireArguments("GPURenderPassEncoder.insertDebugMarker", arguments.length, 1);
    encode.renderPassEncoderInsertDebugMarker(this[OWNER].stream, this[HANDLE], markerLabel);
  }
}
defineInterface(GPURenderPassEncoder, "GPURenderPassEncoder", {
  kind: InterfaceKind.GPURenderPassEncoder,
  lengths: { setBindGroup: 2, setIndexBuffer: 2, setVertexBuffer: 2 },
});
