/**
 * One mapping of a buffer: the part that is mapped, what the engine said is in it, and the ArrayBuffers that the
 * application holds. Those are plain ArrayBuffers, so that views on them work everywhere, and are detached when the mapping ends.
 */

export interface MappedRange {
  /** Bytes from the buffer's start. */
  readonly offset: number;
  readonly size: number;
  readonly bytes: ArrayBuffer;
}

export class MappedRanges {
  readonly start: number;
  readonly end: number;
  /** Whether the engine gets back what the application wrote. */
  readonly access: "read" | "write";
  /** Undefined: all zeros, as at creation. */
  readonly #contents: ArrayBuffer | undefined;
  readonly #handedOut: MappedRange[] = [];

  /** @param contents of exactly `size` bytes; owned by the mapping from now on */
  constructor(access: "read" | "write", offset: number, size: number, contents?: ArrayBuffer) {
    this.access = access;
    this.start = offset;
    this.end = offset + size;
    this.#contents = contents;
  }

  /** GPUBuffer.getMappedRange for a mapped buffer. Throws OperationError where WebGPU says so. */
  getRange(offset: number, size: number): ArrayBuffer {
    if (offset % 8 !== 0) throw refusal(`offset ${offset} is not a multiple of 8`);
    if (size % 4 !== 0) throw refusal(`size ${size} is not a multiple of 4`);
    if (offset < this.start || offset + size > this.end) {
      throw refusal(
        `[${offset}, ${offset + size}) is outside of the mapped range [${this.start}, ${this.end})`,
      );
    }
    for (const range of this.#handedOut) {
      if (offset < range.offset + range.size && range.offset < offset + size) {
        throw refusal(
          `[${offset}, ${offset + size}) overlaps [${range.offset}, ${range.offset + range.size}), which was returned before`,
        );
      }
    }
    const bytes = this.#take(offset - this.start, size);
    this.#handedOut.push({ offset, size, bytes });
    return bytes;
  }

  #take(at: number, size: number): ArrayBuffer {
    const contents = this.#contents;
    if (contents === undefined) return allocate(size);
    // The whole of it can be given away without a copy: nothing that overlaps it can be asked for any more.
    return size > 0 && size === contents.byteLength ? contents : contents.slice(at, at + size);
  }

  /** What the application got and may have written to, in the order it asked. Empty for a read mapping. */
  written(): readonly MappedRange[] {
    if (this.access === "read") return [];
    // An ArrayBuffer that the application transferred away has length 0: its contents are gone.
    return this.#handedOut.filter((range) => range.bytes.byteLength === range.size && range.size > 0);
  }

  /** Ends the application's access. @returns the memory that the contents came in, if it can be used again */
  detach(): ArrayBuffer | undefined {
    let back = this.#handedOut.some(({ bytes }) => bytes === this.#contents) ? undefined : this.#contents;
    for (const { bytes } of this.#handedOut) {
      const memory = detach(bytes);
      if (bytes === this.#contents) back = memory;
    }
    this.#handedOut.length = 0;
    return back;
  }
}

function refusal(why: string): DOMException {
  return new DOMException(`getMappedRange: ${why}.`, "OperationError");
}

function allocate(size: number): ArrayBuffer {
  try {
    return new ArrayBuffer(size);
  } catch (cause) {
    throw new RangeError(`getMappedRange: can't allocate ${size} bytes; map a smaller range.`, { cause });
  }
}

/** @returns the same memory under another object, which only we have */
function detach(bytes: ArrayBuffer): ArrayBuffer | undefined {
  try {
    const memory = structuredClone(bytes, { transfer: [bytes] });
    return memory.byteLength === 0 ? undefined : memory;
  } catch {
    // Already detached by the application; Node 20 does not throw then, but gives an empty one.
    return undefined;
  }
}
