/** GPUQueue: work and data go out here; `submit` is when the engine is told to look. */
import { encode, HANDLE, InterfaceKind, OWNER } from "parhelion-protocol";
import { defineInterface } from "./interface/define.js";
import { GPUObjectBase } from "./interface/object-base.js";

export class GPUQueue extends GPUObjectBase {
  submit(commandBuffers: unknown): void {
    const link = this[OWNER];
    encode.queueSubmit(link.stream, this[HANDLE], commandBuffers);
    link.flush();
  }

  onSubmittedWorkDone(): Promise<undefined> {
    return new Promise((resolve) => {
      this[OWNER].ask({ kind: "work-done", done: () => resolve(undefined) }, (stream, request) =>
        encode.queueOnSubmittedWorkDone(stream, this[HANDLE], request),
      );
    });
  }

  writeBuffer(
    buffer: unknown,
    bufferOffset: unknown,
    data: unknown,
    dataOffset?: unknown,
    size?: unknown,
  ): void {
    encode.queueWriteBuffer(this[OWNER].stream, this[HANDLE], buffer, bufferOffset, data, dataOffset, size);
  }

  writeTexture(destination: unknown, data: unknown, dataLayout: unknown, size: unknown): void {
    encode.queueWriteTexture(this[OWNER].stream, this[HANDLE], destination, data, dataLayout, size);
  }

  copyExternalImageToTexture(_source: unknown, _destination: unknown, _copySize: unknown): never {
    throw new DOMException(
      "copyExternalImageToTexture: images, video and canvases exist in a page only; decode the image and use writeTexture.",
      "NotSupportedError",
    );
  }
}
defineInterface(GPUQueue, "GPUQueue", { kind: InterfaceKind.GPUQueue, lengths: { writeBuffer: 3 } });
