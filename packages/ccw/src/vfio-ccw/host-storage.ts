/**
 * The main storage of the machine that passes subchannels through: what the channel subsystem reaches by absolute
 * addresses. It holds the translated channel programs, where 31 bits reach, and pages of guests for as long as they are
 * pinned. An address that was given back answers with an access exception: a device that is late can't harm anybody.
 */
import { KernelError, type Named, type Runtime } from "parhelion-core";
import { type Answer, type MainStorage, StorageFault } from "../storage/storage.js";
import { FrameSpace, frameBytes } from "./frame-space.js";

/** What is behind the addresses of frames that follow each other. */
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

/** Frames that follow each other and have one content. */
class Run implements Named {
  readonly name: string;
  readonly address: number;
  readonly content: FrameContent;
  /** The address behind it. */
  readonly end: number;

  constructor(first: number, frames: number, content: FrameContent) {
    this.name = `frames from ${first}`;
    this.address = first * frameBytes;
    this.end = this.address + frames * frameBytes;
    this.content = content;
  }
}

/** The host's own bytes. */
class OwnBytes implements FrameContent {
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  read(offset: number, length: number): Uint8Array {
    return this.bytes.subarray(offset, offset + length);
  }

  write(offset: number, bytes: Uint8Array): void {
    this.bytes.set(bytes, offset);
  }
}

/** Frames 0 to 15 are left out: an address of zero is a mistake more often than not. */
const firstFrame = 16;
/** Below 2 GiB, where CCWs and the addresses in them reach. */
const lowLimit = 2 ** 31 / frameBytes;
/** From 4 GiB on: an address that lost its upper half is noticed. Up to 2^52. */
const highStart = 2 ** 32 / frameBytes;
const highLimit = 2 ** 52 / frameBytes;

/** Blocks up to so many frames are kept for the next one of their size, so many of each: channel programs come one after the other. */
const spareFrames = 16;
const sparesPerSize = 4;

export class HostStorage implements MainStorage, Named {
  readonly name = "main storage of the host";
  readonly #runtime: Runtime;
  /** By the number of a frame: what it is part of. */
  readonly #frames = new Map<number, Run>();
  /** By the number of frames. */
  readonly #spare = new Map<number, OwnBytes[]>();
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
    const first = this.#take(this.#low, frames);
    const own = this.#spare.get(frames)?.pop();
    own?.bytes.fill(0);
    const content = own ?? new OwnBytes(new Uint8Array(frames * frameBytes));
    const run = this.#show(first, frames, content);
    const free = () => {
      this.#give(this.#low, run, frames);
      this.#keep(frames, content);
    };
    return { address: run.address, bytes: content.bytes, free };
  }

  /** Gives memory that is somebody else's addresses above 4 GiB. @throws KernelError ENOMEM */
  lend(content: FrameContent, frames: number): LentFrames {
    const run = this.#show(this.#take(this.#high, frames), frames, content);
    return { address: run.address, takeBack: () => this.#give(this.#high, run, frames) };
  }

  read(address: number, length: number, _key: number): Answer<Uint8Array> {
    const run = this.#run(address, "read");
    if (address + length <= run.end) return run.content.read(address - run.address, length);
    return this.#readAcross(address, length);
  }

  write(address: number, bytes: Uint8Array, _key: number): Answer<void> {
    const run = this.#run(address, "write");
    if (address + bytes.length <= run.end) return run.content.write(address - run.address, bytes);
    return this.#writeAcross(address, bytes);
  }

  async #readAcross(address: number, length: number): Promise<Uint8Array> {
    const whole = new Uint8Array(length);
    for (let at = 0; at < length; ) {
      const run = this.#run(address + at, "read");
      const size = Math.min(run.end - (address + at), length - at);
      whole.set(await run.content.read(address + at - run.address, size), at);
      at += size;
    }
    return whole;
  }

  async #writeAcross(address: number, bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; ) {
      const run = this.#run(address + at, "write");
      const size = Math.min(run.end - (address + at), bytes.length - at);
      await run.content.write(address + at - run.address, bytes.subarray(at, at + size));
      at += size;
    }
  }

  #run(address: number, mode: "read" | "write"): Run {
    const run = this.#frames.get(Math.floor(address / frameBytes));
    if (run === undefined) {
      this.#runtime.scheduler.access(this, "read");
      throw new StorageFault("unavailable", address);
    }
    this.#runtime.scheduler.access(run, mode);
    return run;
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

  #show(first: number, frames: number, content: FrameContent): Run {
    const run = new Run(first, frames, content);
    this.#runtime.scheduler.access(run, "write");
    for (let number = first; number < first + frames; number += 1) this.#frames.set(number, run);
    return run;
  }

  #give(space: FrameSpace, run: Run, frames: number): void {
    const first = run.address / frameBytes;
    this.#runtime.scheduler.access(this, "write");
    this.#runtime.scheduler.access(run, "write");
    for (let number = first; number < first + frames; number += 1) this.#frames.delete(number);
    space.give(first, frames);
  }

  /** Nobody has the block any more, nor reaches it by an address. */
  #keep(frames: number, content: OwnBytes): void {
    if (frames > spareFrames) return;
    const spares = this.#spare.get(frames) ?? [];
    if (spares.length < sparesPerSize) spares.push(content);
    this.#spare.set(frames, spares);
  }
}
