/** `writeBuffer` and `writeTexture`: charged for their way to the GPU, then handed to Dawn, which copies the data at once. */
import type { Admission } from "./accounting/admission.js";
import { silently } from "./accounting/resources.js";
import type { EngineDevice } from "./device.js";

/** Of a write of `total` bytes, which comes in one piece or several. */
export interface WritePiece {
  /** Where this piece goes. */
  readonly bufferOffset: number;
  readonly total: number;
  readonly continuation: boolean;
  /** In the ring, which is ordinary memory to Dawn: nothing is copied before Dawn does. */
  readonly data: Uint8Array;
}

export class Writes {
  readonly #device: EngineDevice;
  readonly #admission: Admission;
  /** What became of the write whose further pieces follow. */
  #longWrite: "accepted" | "refused" = "accepted";
  #bytes = 0;

  constructor(device: EngineDevice, admission: Admission) {
    this.#device = device;
    this.#admission = admission;
  }

  /** That were written until now, or refused. */
  get bytes(): number {
    return this.#bytes;
  }

  /** @throws CommandDeferred; what Dawn throws */
  buffer(queue: GPUQueue, target: GPUBuffer, { bufferOffset, total, continuation, data }: WritePiece): void {
    const bytes = data as Uint8Array<ArrayBuffer>;
    if (continuation && this.#longWrite === "refused") return;
    if (this.#stage(data.byteLength, "writeBuffer") === "refused") {
      this.#longWrite = "refused";
      return;
    }
    if (continuation) {
      // Whatever is wrong was said for the first piece.
      silently(this.#device.dawn, () => queue.writeBuffer(target, bufferOffset, bytes));
      return;
    }
    const whole = data.byteLength >= total;
    this.#longWrite = whole || bufferOffset + total <= target.size ? "accepted" : "refused";
    // The first piece of a long write may fit although all of it does not: then Dawn is given a place where it can't.
    const place = this.#longWrite === "accepted" ? bufferOffset : Math.ceil(target.size / 4) * 4;
    queue.writeBuffer(target, place, bytes);
  }

  /** @throws CommandDeferred; what Dawn throws */
  texture(
    queue: GPUQueue,
    destination: GPUTexelCopyTextureInfo,
    data: Uint8Array,
    layout: GPUTexelCopyBufferLayout,
    size: GPUExtent3D,
  ): void {
    if (this.#stage(data.byteLength, "writeTexture") === "refused") return;
    queue.writeTexture(destination, data as Uint8Array<ArrayBuffer>, layout, size);
  }

  /** @returns whether there is memory for the write's way to the GPU; if not the program was told @throws CommandDeferred */
  #stage(bytes: number, what: string): "accepted" | "refused" {
    if (!this.#device.alive) return "accepted";
    this.#admission.flight(bytes);
    const refused = this.#admission.staging(bytes, what);
    this.#bytes += bytes;
    if (refused === undefined) return "accepted";
    this.#device.raise({ kind: "out-of-memory", message: refused });
    return "refused";
  }
}
