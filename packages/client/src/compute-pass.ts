// biome-ignore-all lint/complexity/noArguments: WebIDL counts arguments, and a rest parameter allocates.
/** GPUComputePassEncoder: each method is one record, written where the engine will read it. */
import { encode, HANDLE, InterfaceKind, OWNER } from "parhelion-protocol";
import { defineInterface, requireArguments } from "./interface/define.js";
import { GPUObjectBase } from "./interface/object-base.js";

export class GPUComputePassEncoder extends GPUObjectBase {
  setPipeline(pipeline: unknown): void {
    encode.computePassEncoderSetPipeline(this[OWNER].stream, this[HANDLE], pipeline);
  }

  dispatchWorkgroups(
    workgroupCountX: unknown,
    workgroupCountY: unknown = 1,
    workgroupCountZ: unknown = 1,
  ): void {
    encode.computePassEncoderDispatchWorkgroups(
      this[OWNER].stream,
      this[HANDLE],
      workgroupCountX,
      workgroupCountY,
      workgroupCountZ,
    );
  }

  dispatchWorkgroupsIndirect(indirectBuffer: unknown, indirectOffset: unknown): void {
    encode.computePassEncoderDispatchWorkgroupsIndirect(
      this[OWNER].stream,
      this[HANDLE],
      indirectBuffer,
      indirectOffset,
    );
  }

  end(): void {
    encode.computePassEncoderEnd(this[OWNER].stream, this[HANDLE]);
  }

  setBindGroup(
    index: unknown,
    bindGroup: unknown,
    dynamicOffsets?: unknown,
    dynamicOffsetsDataStart?: unknown,
    dynamicOffsetsDataLength?: unknown,
  ): void {
    requireArguments("GPUComputePassEncoder.setBindGroup", arguments.length, 2);
    encode.computePassEncoderSetBindGroup(
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
    encode.computePassEncoderSetImmediates(
      this[OWNER].stream,
      this[HANDLE],
      rangeOffset,
      data,
      dataOffset,
      dataSize,
    );
  }

  pushDebugGroup(groupLabel: unknown): void {
    requireArguments("GPUComputePassEncoder.pushDebugGroup", arguments.length, 1);
    encode.computePassEncoderPushDebugGroup(this[OWNER].stream, this[HANDLE], groupLabel);
  }

  popDebugGroup(): void {
    encode.computePassEncoderPopDebugGroup(this[OWNER].stream, this[HANDLE]);
  }

  insertDebugMarker(markerLabel: unknown): void {
    requireArguments("GPUComputePassEncoder.insertDebugMarker", arguments.length, 1);
    encode.computePassEncoderInsertDebugMarker(this[OWNER].stream, this[HANDLE], markerLabel);
  }
}
defineInterface(GPUComputePassEncoder, "GPUComputePassEncoder", {
  kind: InterfaceKind.GPUComputePassEncoder,
  lengths: { setBindGroup: 2 },
});
