/** GPUSlice and GPUSliceMemory: what an adapter or device has of a real GPU. Parhelion's own, not in the WebGPU specification. */
import type { SliceMemory } from "parhelion-protocol";
import { defineInterface, INTERNAL, requireInternal } from "./interface/define.js";
import type { SliceLink } from "./link/adapter-source.js";
import { WatchedTarget } from "./watched-target.js";

export class GPUSliceMemory {
  readonly #memory: SliceMemory;

  constructor(key: typeof INTERNAL, memory: SliceMemory) {
    requireInternal(key);
    this.#memory = memory;
  }

  /** Bytes that may be in use now: what is reserved, and a part of what nobody reserved. */
  get limit(): number {
    return this.#memory.limit;
  }

  /** Bytes in use on all devices of the slice, of this process and of others. */
  get used(): number {
    return this.#memory.used;
  }

  /** Bytes that are the slice's whatever others do. */
  get reserved(): number {
    return this.#memory.reserved;
  }
}
defineInterface(GPUSliceMemory, "GPUSliceMemory");

export class GPUSlice extends WatchedTarget {
  readonly #link: SliceLink;
  #memory: GPUSliceMemory | undefined;
  /** What `#memory` was made of. */
  #source: SliceMemory | undefined;

  constructor(key: typeof INTERNAL, link: SliceLink) {
    requireInternal(key);
    super("memorychange", (happened) => link.onMemoryChanged(happened));
    this.#link = link;
  }

  get uuid(): string {
    return this.#link.uuid;
  }

  /** "full", "half", "quarter", "eighth", "shared" or "custom". */
  get type(): string {
    return this.#link.type;
  }

  /** As last heard: the same object until something has changed. */
  get memory(): GPUSliceMemory {
    const { memory } = this.#link;
    if (this.#memory === undefined || this.#source !== memory) {
      this.#memory = new GPUSliceMemory(INTERNAL, memory);
      this.#source = memory;
    }
    return this.#memory;
  }

  get onmemorychange(): ((event: Event) => unknown) | null {
    return WatchedTarget.handlerOf(this);
  }

  set onmemorychange(handler: unknown) {
    WatchedTarget.setHandler(this, handler);
  }
}
defineInterface(GPUSlice, "GPUSlice");

/** `gpu.slices`: tells when a vGPU appeared or went, so that `requestAdapter` may answer otherwise now. */
export class GPUSlices extends WatchedTarget {
  constructor(key: typeof INTERNAL, watch: (happened: () => void) => () => void) {
    requireInternal(key);
    super("change", watch);
  }

  get onchange(): ((event: Event) => unknown) | null {
    return WatchedTarget.handlerOf(this);
  }

  set onchange(handler: unknown) {
    WatchedTarget.setHandler(this, handler);
  }
}
defineInterface(GPUSlices, "GPUSlices");
