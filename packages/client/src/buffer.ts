/** GPUBuffer: its memory is the engine's; what is mapped is here. */
import { constants } from "node:buffer";
import {
  type ConvertedGPUBufferDescriptor,
  encode,
  enforceU32,
  enforceU64,
  HANDLE,
  InterfaceKind,
  OWNER,
} from "parhelion-protocol";
import { GPUMapMode } from "./flags.js";
import { defineInterface, type INTERNAL } from "./interface/define.js";
import { GPUObjectBase } from "./interface/object-base.js";
import type { DeviceLink } from "./link/device-link.js";
import { END_MAPPING } from "./link/mapped-buffers.js";
import { MappedRanges } from "./mapped-ranges.js";

interface PendingMap {
  cancel(why: string): void;
}

export class GPUBuffer extends GPUObjectBase {
  readonly #size: number;
  readonly #usage: number;
  #pending: PendingMap | undefined;
  #mapping: MappedRanges | undefined;
  /**
   * Memory of an earlier mapping. A buffer that is read back is mostly read back again, and pages that are there already save
   * a third of the time. Held weakly, so that it costs nothing once memory is wanted elsewhere.
   */
  #spare: WeakRef<ArrayBuffer> | undefined;

  constructor(key: typeof INTERNAL, link: DeviceLink, id: number, descriptor: ConvertedGPUBufferDescriptor) {
    super(key, link, id, descriptor.label);
    this.#size = descriptor.size;
    this.#usage = descriptor.usage;
    if (!descriptor.mappedAtCreation) return;
    this.#mapping = new MappedRanges("write", 0, descriptor.size);
    link.mapped.add(id, this);
  }

  get size(): number {
    return this.#size;
  }

  get usage(): number {
    return this.#usage;
  }

  get mapState(): "unmapped" | "pending" | "mapped" {
    if (this.#mapping !== undefined) return "mapped";
    return this.#pending === undefined ? "unmapped" : "pending";
  }

  mapAsync(mode: unknown, offset: unknown = 0, size?: unknown): Promise<undefined> {
    return new Promise((resolve, reject) => {
      const flags = enforceU32(mode, "GPUBuffer.mapAsync: mode");
      const start = enforceU64(offset, "GPUBuffer.mapAsync: offset");
      const bytes =
        size === undefined ? Math.max(0, this.#size - start) : enforceU64(size, "GPUBuffer.mapAsync: size");
      if (this.#pending !== undefined)
        throw operationError("mapAsync: a mapping of this buffer is pending already.");
      this.#askForMapping(flags, start, bytes, () => resolve(undefined), reject);
    });
  }

  #askForMapping(
    flags: number,
    offset: number,
    size: number,
    resolve: () => void,
    reject: (reason: DOMException) => void,
  ): void {
    const link = this[OWNER];
    const access = (flags & GPUMapMode.WRITE) !== 0 ? "write" : "read";
    let number = 0;
    const pending: PendingMap = {
      cancel: (why) => {
        link.requests.forget(number);
        this.#pending = undefined;
        this.#settleRegistration();
        reject(new DOMException(why, "AbortError"));
      },
    };
    this.#pending = pending;
    link.mapped.add(this[HANDLE], this);
    link.ask(
      {
        kind: "map",
        size,
        spare: this.#takeSpare(size),
        contents: undefined,
        mapped: (contents) => {
          this.#pending = undefined;
          this.#mapping = new MappedRanges(access, offset, size, contents);
          resolve();
        },
        failed: (name, message) => {
          this.#pending = undefined;
          this.#settleRegistration();
          reject(new DOMException(message, name));
        },
      },
      (stream, request) => {
        number = request;
        encode.bufferMapAsync(stream, this[HANDLE], request, flags, offset, size);
      },
    );
  }

  #takeSpare(size: number): Uint8Array<ArrayBuffer> | undefined {
    const memory = this.#spare?.deref();
    this.#spare = undefined;
    return memory?.byteLength === size ? new Uint8Array(memory) : undefined;
  }

  getMappedRange(offset: unknown = 0, size?: unknown): ArrayBuffer {
    const start = enforceU64(offset, "GPUBuffer.getMappedRange: offset");
    const bytes =
      size === undefined
        ? Math.max(0, this.#size - start)
        : enforceU64(size, "GPUBuffer.getMappedRange: size");
    if (this.#mapping === undefined) throw operationError("getMappedRange: the buffer is not mapped.");
    return this.#mapping.getRange(start, bytes);
  }

  unmap(): void {
    const mapping = this.#mapping;
    if (mapping === undefined && this.#pending === undefined) return;
    this.#pending?.cancel("mapAsync: the buffer was unmapped before the mapping was done.");
    const { stream } = this[OWNER];
    for (const range of mapping?.written() ?? []) {
      encode.bufferWriteMapped(stream, this[HANDLE], range.offset, new Uint8Array(range.bytes));
    }
    this.#dropMapping();
    encode.bufferUnmap(stream, this[HANDLE]);
  }

  destroy(): void {
    this[END_MAPPING]("the buffer was destroyed before the mapping was done");
    encode.bufferDestroy(this[OWNER].stream, this[HANDLE]);
    this[OWNER].freed(this[HANDLE]);
  }

  /** Ends what is mapped or pending without sending anything back: nothing can read it any more. */
  [END_MAPPING](why: string): void {
    this.#pending?.cancel(`mapAsync: ${why}.`);
    this.#dropMapping();
  }

  #dropMapping(): void {
    const memory = this.#mapping?.detach();
    this.#spare = memory === undefined ? undefined : new WeakRef(memory);
    this.#mapping = undefined;
    this.#settleRegistration();
  }

  #settleRegistration(): void {
    if (this.#mapping === undefined && this.#pending === undefined) this[OWNER].mapped.delete(this[HANDLE]);
  }
}
defineInterface(GPUBuffer, "GPUBuffer", {
  kind: InterfaceKind.GPUBuffer,
  lengths: { mapAsync: 1, getMappedRange: 0 },
});

/** @throws RangeError when the memory to map at creation can't be there */
export function checkMappedAtCreation(descriptor: ConvertedGPUBufferDescriptor): void {
  if (!descriptor.mappedAtCreation) return;
  if (descriptor.size % 4 !== 0) {
    throw new RangeError(
      `createBuffer: size ${descriptor.size} is not a multiple of 4, as mappedAtCreation needs it.`,
    );
  }
  if (descriptor.size > constants.MAX_LENGTH) {
    throw new RangeError(
      `createBuffer: ${descriptor.size} bytes can't be mapped at creation; an ArrayBuffer has at most ${constants.MAX_LENGTH}.`,
    );
  }
}

function operationError(message: string): DOMException {
  return new DOMException(message, "OperationError");
}
