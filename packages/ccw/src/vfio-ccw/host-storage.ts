/**
 * The main storage of the machine that passes subchannels through: what the channel subsystem reaches by absolute
 * addresses. It holds the translated channel programs, where 31 bits reach, and pages of guests for as long as they are
 * pinned. An address that was given back answers with an access exception: a device that is late can't harm anybody.
 */
import { KernelError, type Named, type Runtime } from "parhelion-core";
import { type Answer, type MainStorage, StorageFault } from "../storage/storage.js";
import { FrameSpace, frameBytes } from "./frame-space.js";

/** What is behind the addresses of one frame. */
export interface FrameContent {
  read(offset: number, length: number): Answer<Uint8Array>;
  write(offset: number, bytes: Uint8Array): Answer<void>;
}

/** Storage of the host's own. */
export interface HostBlock {
  readonly address: number;
  readonly bytes: Uint8Array;
  free(): void;
}

/** The addresses of what is somebody else's: frames that follow each other. */
export interface LentFrames {
  readonly address: number;
  takeBack(): void;
}

interface Frame extends Named, FrameContent {}

/** Frames 0 to 15 are left out: an address of zero is a mistake more often than not. */
const firstFrame = 16;
/** Below 2 GiB, where CCWs and the addresses in them reach. */
const lowLimit = 2 ** 31 / frameBytes;
/** From 4 GiB on: an address that lost its upper half is noticed. Up to 2^52. */
const highStart = 2 ** 32 / frameBytes;
const highLimit = 2 ** 52 / frameBytes;

export class HostStorage implements MainStorage, Named {
  readonly name = "main storage of the host";
  readonly #runtime: Runtime;
  readonly #frames = new Map<number, Frame>();
  readonly #low = new FrameSpace(firstFrame, lowLimit);
  readonly #high = new FrameSpace(highStart, highLimit);

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /** How many frames have something behind them. */
  get used(): number {
    this.#runtime.scheduler.access(this, "read");
    return this.#frames.size;
  }

  /** Storage below 2 GiB, filled with zeroes. @throws KernelError ENOMEM */
  allocate(size: number): HostBlock {
    const frames = Math.max(1, Math.ceil(size / frameBytes));
    const bytes = new Uint8Array(frames * frameBytes);
    const first = this.#take(this.#low, frames);
    for (let index = 0; index < frames; index += 1) {
      const own = bytes.subarray(index * frameBytes, (index + 1) * frameBytes);
      this.#show(first + index, {
        read: (offset, length) => own.subarray(offset, offset + length),
        write: (offset, content) => own.set(content, offset),
      });
    }
    return { address: first * frameBytes, bytes, free: () => this.#give(this.#low, first, frames) };
  }

  /** Gives memory that is somebody else's addresses above 4 GiB. @throws KernelError ENOMEM */
  lend(content: FrameContent, frames: number): LentFrames {
    const first = this.#take(this.#high, frames);
    for (let index = 0; index < frames; index += 1) {
      const base = index * frameBytes;
      this.#show(first + index, {
        read: (offset, length) => content.read(base + offset, length),
        write: (offset, bytes) => content.write(base + offset, bytes),
      });
    }
    return { address: first * frameBytes, takeBack: () => this.#give(this.#high, first, frames) };
  }

  read(address: number, length: number, _key: number): Answer<Uint8Array> {
    const offset = address % frameBytes;
    if (offset + length <= frameBytes) return this.#frame(address, "read").read(offset, length);
    return this.#readAcross(address, length);
  }

  write(address: number, bytes: Uint8Array, _key: number): Answer<void> {
    const offset = address % frameBytes;
    if (offset + bytes.length <= frameBytes) return this.#frame(address, "write").write(offset, bytes);
    return this.#writeAcross(address, bytes);
  }

  async #readAcross(address: number, length: number): Promise<Uint8Array> {
    const whole = new Uint8Array(length);
    for (const { at, offset, size } of pieces(address, length)) {
      whole.set(await this.#frame(address + at, "read").read(offset, size), at);
    }
    return whole;
  }

  async #writeAcross(address: number, bytes: Uint8Array): Promise<void> {
    for (const { at, offset, size } of pieces(address, bytes.length)) {
      await this.#frame(address + at, "write").write(offset, bytes.subarray(at, at + size));
    }
  }

  #frame(address: number, mode: "read" | "write"): Frame {
    const frame = this.#frames.get(Math.floor(address / frameBytes));
    if (frame === undefined) {
      this.#runtime.scheduler.access(this, "read");
      throw new StorageFault("unavailable", address);
    }
    this.#runtime.scheduler.access(frame, mode);
    return frame;
  }

  #take(space: FrameSpace, frames: number): number {
    this.#runtime.scheduler.access(this, "write");
    const first = space.take(frames);
    if (first === null) {
      throw new KernelError(
        "ENOMEM",
        `no ${frames} frames of main storage are left; end some channel programs`,
      );
    }
    return first;
  }

  #show(number: number, { read, write }: FrameContent): void {
    const frame: Frame = { name: `frame ${number}`, read, write };
    this.#runtime.scheduler.access(frame, "write");
    this.#frames.set(number, frame);
  }

  #give(space: FrameSpace, first: number, frames: number): void {
    this.#runtime.scheduler.access(this, "write");
    for (let number = first; number < first + frames; number += 1) {
      const frame = this.#frames.get(number);
      if (frame !== undefined) this.#runtime.scheduler.access(frame, "write");
      this.#frames.delete(number);
    }
    space.give(first, frames);
  }
}

/** A range, cut where frames end. */
function* pieces(address: number, length: number) {
  for (let at = 0; at < length; ) {
    const offset = (address + at) % frameBytes;
    const size = Math.min(frameBytes - offset, length - at);
    yield { at, offset, size };
    at += size;
  }
}
