import type { SocketIo } from "../socket-io.js";
import { FRAME_BYTES, FRAME_CREDIT, FRAME_DATA, FRAME_PADDING } from "./frames.js";

interface Span {
  readonly kind: "data" | "padding";
  readonly at: number;
  bytes: number;
}

const stagingBytes = 64 * 1024;
/** Shorter spans are copied behind their header, so that one system call sends both. */
const copyLimit = 16 * 1024;
/** Publications are joined up to here: fewer frames, yet the other end starts before all is there. */
const joinLimit = 256 * 1024;

/**
 * Turns what the ring's writer published, and the reader's credits, into frames, and pushes them into the socket as far as it takes them.
 * Ring memory is sent from where it lies: it stays as it is until the other end gives credit for it.
 */
export class Sender {
  readonly #io: SocketIo;
  readonly #ring: Uint8Array;
  readonly #staging = new Uint8Array(stagingBytes);
  readonly #words = new Uint32Array(this.#staging.buffer);
  #stagedFrom = 0;
  #stagedTo = 0;
  #bodyAt = 0;
  #bodyLeft = 0;
  readonly #spans: Span[] = [];
  /** Ring position up to which spans are queued. */
  #queued = 0;
  #padding: Span | undefined;
  #credit = 0;
  #creditSent = 0;
  /** Bytes that the socket took, modulo 2^32; for progress. */
  sent = 0;

  constructor(io: SocketIo, ring: Uint8Array) {
    this.#io = io;
    this.#ring = ring;
  }

  /** The next publication begins with padding. */
  padded(position: number, bytes: number): void {
    this.#padding = { kind: "padding", at: position & (this.#ring.length - 1), bytes };
  }

  published(to: number): void {
    if (this.#padding !== undefined) {
      this.#spans.push(this.#padding);
      this.#queued = (this.#queued + this.#padding.bytes) >>> 0;
      this.#padding = undefined;
    }
    let left = (to - this.#queued) >>> 0;
    while (left > 0) {
      const at = this.#queued & (this.#ring.length - 1);
      const bytes = Math.min(left, this.#ring.length - at);
      const last = this.#spans.at(-1);
      if (last?.kind === "data" && last.at + last.bytes === at && last.bytes + bytes <= joinLimit)
        last.bytes += bytes;
      else this.#spans.push({ kind: "data", at, bytes });
      this.#queued = (this.#queued + bytes) >>> 0;
      left -= bytes;
    }
  }

  /** The reader's position; it is sent with the next data, or when `pump` is told so. */
  setCredit(position: number): void {
    this.#credit = position;
  }

  /** Positions that the other end has not been told of. */
  get unsentCredit(): number {
    return (this.#credit - this.#creditSent) >>> 0;
  }

  /** Sends what the socket takes. @throws the socket's error */
  pump(withCredit: "with-credit" | "data-only"): "idle" | "blocked" {
    let credit = withCredit === "with-credit";
    for (;;) {
      const staged = this.#stagedTo - this.#stagedFrom;
      if (staged > 0) {
        const taken = this.#io.write(this.#staging, this.#stagedFrom, staged);
        this.sent = (this.sent + taken) >>> 0;
        this.#stagedFrom += taken;
        if (taken < staged) return "blocked";
      } else if (this.#bodyLeft > 0) {
        const taken = this.#io.write(this.#ring, this.#bodyAt, this.#bodyLeft);
        this.sent = (this.sent + taken) >>> 0;
        this.#bodyAt += taken;
        this.#bodyLeft -= taken;
        if (this.#bodyLeft > 0) return "blocked";
      } else {
        this.#stage(credit);
        credit = false;
        if (this.#stagedTo === 0) return "idle";
      }
    }
  }

  /** Whether something begun or queued is not with the socket yet. */
  get isPending(): boolean {
    return this.#stagedTo > this.#stagedFrom || this.#bodyLeft > 0 || this.#spans.length > 0;
  }

  #stage(credit: boolean): void {
    this.#stagedFrom = 0;
    this.#stagedTo = 0;
    if (this.#credit !== this.#creditSent && (credit || this.#spans.length > 0)) {
      this.#creditSent = this.#credit;
      this.#header(FRAME_CREDIT, this.#credit);
    }
    while (this.#spans.length > 0 && this.#stagedTo + FRAME_BYTES + copyLimit <= stagingBytes) {
      const span = this.#spans.shift() as Span;
      this.#header(span.kind === "data" ? FRAME_DATA : FRAME_PADDING, span.bytes);
      if (span.kind === "padding") continue;
      if (span.bytes > copyLimit) {
        this.#bodyAt = span.at;
        this.#bodyLeft = span.bytes;
        return;
      }
      this.#staging.set(this.#ring.subarray(span.at, span.at + span.bytes), this.#stagedTo);
      this.#stagedTo += span.bytes;
    }
  }

  #header(kind: number, number: number): void {
    this.#words[this.#stagedTo >>> 2] = kind;
    this.#words[(this.#stagedTo >>> 2) + 1] = number;
    this.#stagedTo += FRAME_BYTES;
  }
}
