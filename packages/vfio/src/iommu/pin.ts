/** A range of a user's memory that a device holds on to, until it lets go or it is taken away. */
import { KernelError, type Named } from "parhelion-core";
import type { PinnedRange } from "./dma.js";
import type { IovaMapping, MappingHold } from "./mapping.js";

/** The part of a range that lies in one mapping. */
export interface Segment {
  readonly mapping: IovaMapping;
  readonly iova: bigint;
  readonly length: number;
}

/** How a pin reaches memory: through the device's access, so that it ends with it. */
export interface PinAccess extends Named {
  fetch(segment: Segment): Promise<Uint8Array>;
  store(segment: Segment, bytes: Uint8Array): Promise<void>;
  touch(mode: "read" | "write"): void;
  /** @throws KernelError EBUSY the device stands still */
  assertMoves(): void;
  unpinned(pin: Pin): void;
}

export class Pin implements PinnedRange, MappingHold {
  readonly iova: bigint;
  readonly length: number;
  readonly #segments: readonly Segment[];
  readonly writes: boolean;
  readonly #access: PinAccess;
  #state: PinnedRange["state"] = "pinned";

  constructor(segments: readonly Segment[], writes: boolean, access: PinAccess) {
    this.iova = segments[0]?.iova ?? 0n;
    this.length = segments.reduce((sum, { length }) => sum + length, 0);
    this.#segments = segments;
    this.writes = writes;
    this.#access = access;
    for (const { mapping } of segments) mapping.pins.add(this);
    this.#dirty();
  }

  get state(): PinnedRange["state"] {
    this.#access.touch("read");
    return this.#state;
  }

  get mappings(): readonly IovaMapping[] {
    return this.#segments.map(({ mapping }) => mapping);
  }

  view(): Uint8Array | null {
    this.#assertPinned();
    const [only, ...more] = this.#segments;
    if (only === undefined || more.length > 0) return null;
    const { mapping, iova, length } = only;
    return mapping.memory.view?.(mapping.vaddr + (iova - mapping.iova), length) ?? null;
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    const parts = this.#parts(offset, length);
    const bytes = new Uint8Array(length);
    let at = 0;
    for (const part of parts) {
      this.#assertPinned();
      bytes.set(await this.#access.fetch(part), at);
      at += part.length;
    }
    return bytes;
  }

  async write(offset: number, bytes: Uint8Array): Promise<void> {
    if (!this.writes) {
      throw new KernelError(
        "EPERM",
        `${bytes.length} bytes at ${offset} of ${this.#what()}, pinned for reading`,
      );
    }
    let at = 0;
    for (const part of this.#parts(offset, bytes.length)) {
      this.#assertPinned();
      await this.#access.store(part, bytes.subarray(at, at + part.length));
      at += part.length;
    }
  }

  unpin(): void {
    this.#leave("unpinned");
  }

  /** The user, or the device's end, takes it away. */
  take(): void {
    this.#leave("taken");
  }

  /** What it writes nobody sees, so it counts as written as long as it is pinned. */
  dirtyAgain(mapping: IovaMapping): void {
    if (this.writes) this.#dirty(mapping);
  }

  #leave(state: "unpinned" | "taken"): void {
    this.#access.touch("write");
    if (this.#state !== "pinned") return;
    this.#dirty();
    this.#state = state;
    for (const { mapping } of this.#segments) mapping.pins.delete(this);
    this.#access.unpinned(this);
  }

  #dirty(only?: IovaMapping): void {
    if (!this.writes) return;
    for (const { mapping, iova, length } of this.#segments) {
      if (only === undefined || mapping === only) mapping.wrote(iova, length);
    }
  }

  #parts(offset: number, length: number): Segment[] {
    this.#assertPinned();
    if (!(Number.isInteger(offset) && offset >= 0 && length >= 0 && offset + length <= this.length)) {
      throw new KernelError("EFAULT", `${length} bytes at ${offset} are not within ${this.#what()}`);
    }
    const parts: Segment[] = [];
    let from = 0;
    for (const { mapping, iova, length: size } of this.#segments) {
      const first = Math.max(offset, from);
      const end = Math.min(offset + length, from + size);
      if (first < end) parts.push({ mapping, iova: iova + BigInt(first - from), length: end - first });
      from += size;
    }
    return parts;
  }

  #assertPinned(): void {
    if (this.state !== "pinned") {
      throw new KernelError("EFAULT", `${this.#what()} is ${this.#state}: pin it again`);
    }
    this.#access.assertMoves();
  }

  #what(): string {
    return `the ${this.length} bytes at 0x${this.iova.toString(16)} of ${this.#access.name}`;
  }
}
