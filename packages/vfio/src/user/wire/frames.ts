/**
 * Cuts a stream of bytes into messages, and says which message the descriptors that came with some of them belong to. A socket
 * never gives bytes beyond those that descriptors were sent with in the same piece: they belong to the message of its last byte.
 */
import { KernelError } from "parhelion-core";
import { decodeHeader, type Header, headerBytes } from "./header.js";
import { maxMessageFds } from "./limits.js";

export interface Frame {
  readonly header: Header;
  /** What follows the header. */
  readonly body: Uint8Array;
  /** Owned by whoever takes the frame. */
  readonly fds: readonly number[];
  /** "lost": there were more descriptors than came here. */
  readonly descriptors: "all" | "lost";
}

/** The stream can't be followed any more. */
export interface Broken {
  readonly header: Header;
  readonly error: KernelError;
}

export class Frames {
  readonly #most: number;
  readonly #head = new Uint8Array(headerBytes);
  #header: Header | null = null;
  #body = new Uint8Array(0);
  /** Bytes of the message under way that are there. */
  #at = 0;
  #fds: number[] = [];
  #descriptors: Frame["descriptors"] = "all";
  #broken: Broken | null = null;

  /** @param most bytes of a message, its header included */
  constructor(most: number) {
    this.#most = most;
  }

  /** Why no more messages come; null as long as they do. */
  get broken(): Broken | null {
    return this.#broken;
  }

  /** Whether a message has begun and is not there whole. */
  get partial(): boolean {
    return this.#at > 0;
  }

  /** @param descriptors whether `fds` are all that were sent with `bytes`. @returns the messages that are whole with `bytes` */
  push(
    bytes: Uint8Array,
    fds: readonly number[] = [],
    descriptors: Frame["descriptors"] = "all",
  ): readonly Frame[] {
    const frames: Frame[] = [];
    let left = bytes;
    while (left.length > 0 && this.#broken === null) {
      left = this.#fill(left);
      if (this.#broken !== null || this.#header === null || this.#at < this.#header.size) continue;
      if (left.length === 0) this.#receive(fds, descriptors);
      frames.push(this.#finish(this.#header));
      if (left.length === 0) return frames;
    }
    this.#receive(fds, descriptors);
    if (this.#header !== null && this.#fds.length > maxMessageFds)
      this.#break(this.#header, `a message with more than ${maxMessageFds} descriptors`);
    return frames;
  }

  /** @returns the descriptors of a message that will not become whole, the caller's from here on */
  drop(): readonly number[] {
    return this.#fds.splice(0);
  }

  #receive(fds: readonly number[], descriptors: Frame["descriptors"]): void {
    this.#fds.push(...fds);
    if (descriptors === "lost") this.#descriptors = "lost";
  }

  #fill(bytes: Uint8Array): Uint8Array {
    const inHeader = this.#at < headerBytes;
    const target = inHeader ? this.#head : this.#body;
    const offset = inHeader ? this.#at : this.#at - headerBytes;
    const taken = bytes.subarray(0, target.length - offset);
    target.set(taken, offset);
    this.#at += taken.length;
    if (inHeader && this.#at === headerBytes) this.#begin(decodeHeader(this.#head));
    return bytes.subarray(taken.length);
  }

  #begin(header: Header): void {
    this.#header = header;
    if (header.size < headerBytes || header.size > this.#most)
      this.#break(header, `a message of ${header.size} bytes; ${headerBytes} … ${this.#most} are taken`);
    else this.#body = new Uint8Array(header.size - headerBytes);
  }

  #finish(header: Header): Frame {
    const frame = { header, body: this.#body, fds: this.#fds, descriptors: this.#descriptors };
    this.#header = null;
    this.#fds = [];
    this.#descriptors = "all";
    this.#at = 0;
    return frame;
  }

  #break(header: Header, why: string): void {
    this.#broken = { header, error: new KernelError("EMSGSIZE", why) };
  }
}
