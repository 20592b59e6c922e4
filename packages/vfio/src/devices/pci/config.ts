/**
 * A configuration space that a user writes to as to a real function's: read-only bits stay, base addresses tell their size, status
 * bits are cleared by ones. Parts of it may answer by themselves.
 */
import { KernelError } from "parhelion-core";
import { PciOffset, PciStatus } from "./config-offsets.js";

/** A part that is not memory. */
export interface ConfigWindow {
  /** @param offset in the window */
  read(offset: number, length: number): Uint8Array;
  write(offset: number, bytes: Uint8Array): void;
}

export interface BarInit {
  /** 0 to 5; a memory64 takes the next one as well. */
  readonly index: number;
  readonly kind: "io" | "memory32" | "memory64";
  /** In bytes, a power of two. */
  readonly size: number;
}

interface PlacedWindow {
  readonly offset: number;
  readonly length: number;
  readonly window: ConfigWindow;
}

interface Watch {
  readonly offset: number;
  readonly length: number;
  changed(): void;
}

const barBits = { io: 0b1, memory32: 0b000, memory64: 0b100 } as const;

export class PciConfig {
  readonly size: number;
  readonly #initial: Uint8Array;
  readonly #bytes: Uint8Array;
  readonly #writable: Uint8Array;
  readonly #windows: PlacedWindow[] = [];
  readonly #watches: Watch[] = [];
  /** Where the latest capability's pointer to the next one is. */
  #chainEnd: number = PciOffset.capabilities;

  /** @param size 256 or 4096 bytes */
  constructor(size: 256 | 4096 = 256) {
    this.size = size;
    this.#initial = new Uint8Array(size);
    this.#bytes = new Uint8Array(size);
    this.#writable = new Uint8Array(size);
  }

  /** What is read there until it is written. @param writable the bits that a write changes, none by default */
  define(offset: number, length: 1 | 2 | 4, value: number, writable = 0): this {
    for (let i = 0; i < length; i++) {
      const at = offset + i;
      this.#initial[at] = this.#bytes[at] = (value >>> (8 * i)) & 0xff;
      this.#writable[at] = (writable >>> (8 * i)) & 0xff;
    }
    return this;
  }

  text(offset: number, text: string): this {
    [...new TextEncoder().encode(text)].forEach((byte, i) => {
      this.define(offset + i, 1, byte);
    });
    return this;
  }

  /** The bits below its size can't be written: that is how its size is found out. */
  bar({ index, kind, size }: BarInit): this {
    const offset = PciOffset.bars + 4 * index;
    this.define(offset, 4, barBits[kind], ~(size - 1) >>> 0);
    if (kind === "memory64") this.define(offset + 4, 4, 0, 0xffff_ffff);
    return this;
  }

  /** Appends to the list of capabilities. @returns its offset @param body without the first two bytes */
  capability(id: number, offset: number, body: readonly ConfigField[]): this {
    this.define(this.#chainEnd, 1, offset);
    const status = this.field(PciOffset.status, 2) | PciStatus.capabilities;
    this.define(PciOffset.status, 2, status);
    this.define(offset, 1, id);
    this.define(offset + 1, 1, 0);
    this.#chainEnd = offset + 1;
    for (const { at, length, value, writable } of body) this.define(offset + at, length, value, writable);
    return this;
  }

  /** Answers for this part instead of memory. */
  window(offset: number, length: number, window: ConfigWindow): this {
    this.#windows.push({ offset, length, window });
    return this;
  }

  /** Calls `changed` after each write that touches this part. */
  watch(offset: number, length: number, changed: () => void): this {
    this.#watches.push({ offset, length, changed });
    return this;
  }

  /** A little-endian number, as it is now. */
  field(offset: number, length: 1 | 2 | 4): number {
    let value = 0;
    for (let i = length - 1; i >= 0; i--) value = value * 256 + (this.#bytes[offset + i] ?? 0);
    return value;
  }

  /** What the function itself says there, whether a user may write it or not. */
  set(offset: number, length: 1 | 2 | 4, value: number): void {
    for (let i = 0; i < length; i++) this.#bytes[offset + i] = (value >>> (8 * i)) & 0xff;
  }

  /** @throws KernelError EINVAL outside of the space */
  read(offset: number, length: number): Uint8Array {
    this.#check("read", offset, length);
    const result = this.#bytes.slice(offset, offset + length);
    for (const { from, to, at, window } of this.#overlaps(offset, length))
      result.set(window.read(from - at, to - from), from - offset);
    return result;
  }

  /** What can't be written stays as it is. @throws KernelError EINVAL outside of the space */
  write(offset: number, bytes: Uint8Array): void {
    this.#check("write", offset, bytes.length);
    const overlaps = this.#overlaps(offset, bytes.length);
    bytes.forEach((byte, i) => {
      const at = offset + i;
      const mask = this.#writable[at] ?? 0;
      this.#bytes[at] = ((this.#bytes[at] ?? 0) & ~mask) | (byte & mask);
    });
    for (const { from, to, at, window } of overlaps)
      window.write(from - at, bytes.subarray(from - offset, to - offset));
    for (const { offset: at, length, changed } of this.#watches)
      if (at < offset + bytes.length && offset < at + length) changed();
  }

  /** As after power-on. Those who watch are told. */
  reset(): void {
    this.#bytes.set(this.#initial);
    for (const { changed } of this.#watches) changed();
  }

  /** All of its memory, windows aside. */
  get state(): Uint8Array {
    return this.#bytes.slice();
  }

  /** Takes over what a user could have written; the rest stays this function's own. */
  restore(state: Uint8Array): void {
    if (state.length !== this.size)
      throw new KernelError("EINVAL", `a configuration space of ${state.length} bytes; it has ${this.size}`);
    state.forEach((byte, at) => {
      const mask = this.#writable[at] ?? 0;
      this.#bytes[at] = ((this.#bytes[at] ?? 0) & ~mask) | (byte & mask);
    });
    for (const { changed } of this.#watches) changed();
  }

  #overlaps(offset: number, length: number) {
    return this.#windows.flatMap(({ offset: at, length: size, window }) => {
      const from = Math.max(offset, at);
      const to = Math.min(offset + length, at + size);
      return from < to ? [{ from, to, at, window }] : [];
    });
  }

  #check(what: string, offset: number, length: number): void {
    const valid = Number.isSafeInteger(offset) && Number.isSafeInteger(length) && offset >= 0 && length >= 1;
    if (valid && offset + length <= this.size) return;
    throw new KernelError(
      "EINVAL",
      `${what} of ${length} bytes at ${offset} of a configuration space of ${this.size} bytes`,
    );
  }
}

/** A part of a capability. */
export interface ConfigField {
  /** From the capability's beginning. */
  readonly at: number;
  readonly length: 1 | 2 | 4;
  readonly value: number;
  /** Bits that can be written; none by default. */
  readonly writable?: number;
}
