/**
 * Control frames: `u32 size, u16 type, u16 flags, u32 id`, then the body. A stream brings them in arbitrary pieces;
 * `SizedFrames` gives them back whole.
 */
import { ProtocolError } from "../error.js";

export const CONTROL_HEADER = 12;
/** The largest control message, header included. */
export const MAX_CONTROL_MESSAGE = 1024 * 1024;

export const FrameFlags = { REPLY: 1 } as const;

export interface ControlFrame {
  readonly type: number;
  readonly flags: number;
  /** Chosen by the asker, echoed in the reply; 0: no reply is wanted. */
  readonly id: number;
  readonly body: Uint8Array;
}

/** @throws ProtocolError too-long */
export function encodeFrame(type: number, flags: number, id: number, body: Uint8Array): Uint8Array {
  const size = CONTROL_HEADER + body.length;
  if (size > MAX_CONTROL_MESSAGE) {
    throw new ProtocolError(
      "too-long",
      `message 0x${type.toString(16)} has ${size} bytes, the limit is ${MAX_CONTROL_MESSAGE}`,
    );
  }
  const frame = new Uint8Array(size);
  const view = new DataView(frame.buffer);
  view.setUint32(0, size, true);
  view.setUint16(4, type, true);
  view.setUint16(6, flags, true);
  view.setUint32(8, id, true);
  frame.set(body, CONTROL_HEADER);
  return frame;
}

/** @param frame one whole frame, as SizedFrames gives it */
export function decodeFrame(frame: Uint8Array): ControlFrame {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  return {
    type: view.getUint16(4, true),
    flags: view.getUint16(6, true),
    id: view.getUint32(8, true),
    body: frame.subarray(CONTROL_HEADER),
  };
}

/** A frame's memory before more of it has come. */
const firstBytes = 512;

/**
 * Cuts a stream of bytes into frames that begin with their own `u32 size`. Holds what has come of one frame, in at most
 * twice that much memory however small the pieces are, and what was pushed since the last call of `next`. A size alone costs nothing.
 */
export class SizedFrames {
  readonly #least: number;
  readonly #most: number;
  readonly #head = new Uint8Array(4);
  #headBytes = 0;
  #size = 0;
  /** Grows with what arrives, up to the size. */
  #frame: Uint8Array | null = null;
  #frameBytes = 0;
  #chunks: Uint8Array[] = [];
  /** Bytes of all chunks. */
  #waiting = 0;

  /**
   * @param least smallest legal size, at least 4
   * @param most largest legal size
   */
  constructor(least: number, most: number) {
    this.#least = least;
    this.#most = most;
  }

  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.#chunks.push(chunk);
    this.#waiting += chunk.length;
  }

  /**
   * The next whole frame, size word included, in memory of its own; null when it is not there yet.
   * @throws ProtocolError bad-size as soon as the size word is known to be impossible
   */
  next(): Uint8Array | null {
    if (this.#frame === null) {
      this.#headBytes += this.#fill(this.#head, this.#headBytes);
      if (this.#headBytes < 4) return null;
      const size = new DataView(this.#head.buffer).getUint32(0, true);
      if (size < this.#least || size > this.#most) {
        throw new ProtocolError(
          "bad-size",
          `a frame of ${size} bytes; legal are ${this.#least} to ${this.#most}`,
        );
      }
      this.#size = size;
      this.#frame = new Uint8Array(Math.min(size, Math.max(firstBytes, 4 + this.#waiting)));
      this.#frame.set(this.#head);
      this.#frameBytes = 4;
    }
    let frame = this.#frame;
    this.#frameBytes += this.#fill(frame, this.#frameBytes);
    if (this.#frameBytes === frame.length && frame.length < this.#size) {
      frame = new Uint8Array(Math.min(this.#size, Math.max(2 * frame.length, frame.length + this.#waiting)));
      frame.set(this.#frame);
      this.#frame = frame;
      this.#frameBytes += this.#fill(frame, this.#frameBytes);
    }
    if (this.#frameBytes < this.#size) return null;
    this.#frame = null;
    this.#headBytes = 0;
    return frame;
  }

  /** What was pushed and not returned as a frame, so that somebody else can go on with the stream. Empties this. */
  rest(): Uint8Array {
    const begun =
      this.#frame === null
        ? this.#head.subarray(0, this.#headBytes)
        : this.#frame.subarray(0, this.#frameBytes);
    const parts = [begun, ...this.#chunks];
    const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) {
      all.set(part, at);
      at += part.length;
    }
    this.#frame = null;
    this.#headBytes = 0;
    this.#chunks = [];
    this.#waiting = 0;
    return all;
  }

  /** Moves pushed bytes to `into` from `at` on; returns how many. */
  #fill(into: Uint8Array, at: number): number {
    let moved = 0;
    while (at + moved < into.length) {
      const chunk = this.#chunks[0];
      if (chunk === undefined) break;
      const part = chunk.subarray(0, into.length - at - moved);
      into.set(part, at + moved);
      moved += part.length;
      if (part.length === chunk.length) this.#chunks.shift();
      else this.#chunks[0] = chunk.subarray(part.length);
    }
    this.#waiting -= moved;
    return moved;
  }
}

export function controlFrames(): SizedFrames {
  return new SizedFrames(CONTROL_HEADER, MAX_CONTROL_MESSAGE);
}
