/**
 * Types of what Parhelion adds to WebGPU, merged with those of `@webgpu/types`. Outside of a slice the attributes are null;
 * in another implementation of WebGPU they do not exist, which is why programs that run elsewhere as well ask with `?.`.
 */

/** Memory of a slice, in bytes; a snapshot. */
export interface SliceMemoryInfo {
  /** May be in use now. */
  readonly limit: number;
  /** Is in use, on all devices of the slice. */
  readonly used: number;
  /** Is the slice's whatever others do. */
  readonly reserved: number;
}

/** What an adapter or device has of a real GPU. */
export interface SliceInfo extends EventTarget {
  readonly uuid: string;
  /** "full", "half", "quarter", "eighth", "shared" or "custom". */
  readonly type: string;
  readonly memory: SliceMemoryInfo;
  onmemorychange: ((event: Event) => unknown) | null;
  addEventListener(type: "memorychange", listener: (event: Event) => unknown, options?: unknown): void;
}

/** Tells when a vGPU appeared or went: `requestAdapter` may answer otherwise now. */
export interface SliceChanges extends EventTarget {
  onchange: ((event: Event) => unknown) | null;
  addEventListener(type: "change", listener: (event: Event) => unknown, options?: unknown): void;
}

declare global {
  interface GPU {
    readonly slices: SliceChanges;
  }
  interface GPUAdapter {
    readonly slice: SliceInfo | null;
  }
  interface GPUDevice {
    readonly slice: SliceInfo | null;
  }
}
