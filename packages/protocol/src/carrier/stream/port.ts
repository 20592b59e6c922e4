/**
 * A queue over a byte stream. Each end has both rings; what one end publishes travels to the same place of the other end's copy, and the
 * reader's progress comes back as credit, so neither end ever holds more than the rings and a few buffers.
 */
import type { Socket } from "node:net";
import { isProtocolError } from "../../error.js";
import { BasePort } from "../base-port.js";
import { PortClosedError, PortStalledError } from "../errors.js";
import type { Port } from "../port.js";
import { allocateRing, type RingMemory, TAIL } from "../ring-layout.js";
import type { CarrierRuntime } from "../runtime.js";
import type { SocketIo } from "../socket-io.js";
import { Receiver } from "./receiver.js";
import { Sender } from "./sender.js";

export interface StreamPortOptions {
  readonly socket: Socket;
  readonly io: SocketIo;
  /** Sizes of this end's copies of the rings. */
  readonly transmitBytes: number;
  readonly receiveBytes: number;
  readonly runtime: CarrierRuntime;
  /** Milliseconds without any progress after which a blocked `begin` gives up. */
  readonly stallMs: number;
  /** Bytes of this carrier that came with the end of the handshake. */
  readonly initial: Uint8Array;
}

const scratchBytes = 64 * 1024;
/** Reads in one go before somebody else gets a turn. */
const readsAtOnce = 64;
/** A full socket is tried again at every turn of the loop for so long, then with pauses up to the second number. */
const eagerRetryMs = 1;
const longestPauseMs = 4;
/** A blocked `begin` tries so often after the last progress, then naps in between. */
const eagerTries = 8;
const shortestNapMs = 0.1;
const longestNapMs = 1;
/** How long a closed port goes on trying to send what was published. */
const lingerMs = 1000;

export function createStreamPort(options: StreamPortOptions): Port {
  return new StreamPort(options, allocateRing(options.transmitBytes), allocateRing(options.receiveBytes));
}

class StreamPort extends BasePort {
  readonly carrier = "stream";
  readonly #socket: Socket;
  readonly #io: SocketIo;
  readonly #sender: Sender;
  readonly #receiver: Receiver;
  readonly #transmitControl: Int32Array;
  readonly #stallMs: number;
  #scratch: Uint8Array | undefined;
  #reader: "awake" | "asleep" = "asleep";
  #writer: "awake" | "asleep" = "awake";
  #retry: "none" | "scheduled" = "none";
  #retryPauseMs = 0;
  #lastSent = 0;
  #lastSentAt = 0;
  #output: "open" | "dead" = "open";
  #blockedSince = 0;
  #blockedSent = 0;
  #blockedTries = 0;

  constructor(options: StreamPortOptions, transmit: RingMemory, receive: RingMemory) {
    super(transmit, receive, options.runtime);
    this.#socket = options.socket;
    this.#io = options.io;
    this.#stallMs = options.stallMs;
    this.#transmitControl = transmit.control;
    this.#sender = new Sender(options.io, this.tx.u8);
    this.#receiver = new Receiver(receive, {
      arrived: () => {
        if (this.#reader === "awake") return;
        this.#reader = "awake";
        this.scheduleReadable();
      },
      credited: (position) => this.#credited(position),
    });
    const socket = this.#socket;
    socket.on("data", (chunk) => this.#arrived(chunk));
    socket.on("drain", () => this.#pump("data-only"));
    socket.on("error", (error) => this.#failed(error));
    socket.on("end", () => this.#ended());
    socket.on("close", () => this.#ended());
    socket.setNoDelay(true);
    socket.unref();
    if (options.initial.length > 0) this.#take(options.initial, 0, options.initial.length);
    socket.resume();
  }

  override ref(): void {
    this.#socket.ref();
  }

  override unref(): void {
    this.#socket.unref();
  }

  override published(_from: number, to: number): void {
    this.#sender.published(to);
    if (this.#retry === "none") this.#pump("data-only");
  }

  override padded(position: number, bytes: number): void {
    this.#sender.padded(position, bytes);
  }

  protected override notice(): void {
    this.#readNow();
  }

  override drained(): void {
    this.#reader = "asleep";
    if (this.rx.hasNews()) {
      this.#reader = "awake";
      this.scheduleReadable();
    }
  }

  override released(): void {
    this.#sender.setCredit(this.rx.position);
    // Less than an eighth can't be what a writer waits for: no record needs more than a quarter, padding included a half.
    if (this.#sender.unsentCredit >= this.rx.capacity / 8 && this.#retry === "none")
      this.#pump("with-credit");
  }

  override starved(): void {
    this.#writer = "asleep";
  }

  override block(waited: number): void {
    if (this.#io.kind !== "direct")
      throw new PortStalledError(
        "cannot-wait",
        `the ring of ${this.tx.capacity} bytes is full, and this kind of socket (TLS, or a system without file descriptors) can't be driven while the thread waits; use tryBegin and onWritable`,
      );
    const now = this.runtime.clock.now();
    if (waited === 0 || this.#sender.sent !== this.#blockedSent) {
      this.#blockedSent = this.#sender.sent;
      this.#blockedSince = now;
      this.#blockedTries = 0;
    } else if (now - this.#blockedSince > this.#stallMs)
      throw new PortStalledError(
        "stalled",
        `the ring of ${this.tx.capacity} bytes has been full for ${this.#stallMs} ms and its reader took nothing; the other end hangs or is stopped`,
      );
    this.#pump("with-credit");
    if (this.#readNow() === "something") return;
    const naps = this.#blockedTries++ - eagerTries;
    if (naps >= 0) this.runtime.nap(Math.min(shortestNapMs * (naps + 1), longestNapMs));
  }

  protected override dispose(): void {
    const deadline = this.runtime.clock.now() + lingerMs;
    const attempt = (): void => {
      this.#pump("data-only");
      if (this.#output === "dead" || !this.#sender.isPending || this.#socket.destroyed)
        this.#socket.destroySoon();
      else if (this.runtime.clock.now() >= deadline) this.#socket.destroy();
      else this.runtime.clock.setTimer(longestPauseMs, attempt);
    };
    attempt();
    // Our end of the connection is shut; a peer that does not answer in kind shall not hold the socket.
    if (!this.#socket.destroyed) this.runtime.clock.setTimer(2 * lingerMs, () => this.#socket.destroy());
  }

  #credited(position: number): void {
    Atomics.store(this.#transmitControl, TAIL, position | 0);
    if (this.#writer === "awake") return;
    this.#writer = "awake";
    this.scheduleWritable();
  }

  #arrived(chunk: Uint8Array): void {
    this.#take(chunk, 0, chunk.length);
    // In the middle of a long body: read the rest to where it belongs.
    if (this.#receiver.bodyLeft >= scratchBytes) this.#readNow();
    if (this.#sender.isPending && this.#retry === "none") this.#pump("data-only");
  }

  #take(chunk: Uint8Array, from: number, to: number): void {
    if (this.state === "closed") return;
    try {
      this.#receiver.take(chunk, from, to);
    } catch (error) {
      if (!isProtocolError(error)) throw error;
      this.protocolFailed(error);
    }
  }

  /** Reads what is there, without the event loop. */
  #readNow(): "something" | "nothing" {
    if (this.#io.kind !== "direct") return "nothing";
    // What the event loop read while the handshake had the socket paused comes first; reading it emits "data".
    if (this.#socket.readableLength > 0) this.#socket.read();
    for (let reads = 0; reads < readsAtOnce; reads++) {
      if (this.state === "closed") return "something";
      const receiver = this.#receiver;
      const straight = receiver.bodyLeft >= scratchBytes;
      this.#scratch ??= new Uint8Array(scratchBytes);
      let got: number | "later" | "end";
      try {
        got = straight
          ? this.#io.read(receiver.ring, receiver.bodyOffset, receiver.bodyLeft)
          : this.#io.read(this.#scratch, 0, scratchBytes);
      } catch (error) {
        this.#failed(error as Error);
        return "something";
      }
      if (got === "later") return reads === 0 ? "nothing" : "something";
      if (got === "end") this.#ended();
      else if (straight) receiver.filled(got);
      else {
        this.#take(this.#scratch, 0, got);
        if (got < scratchBytes) return "something";
      }
    }
    return "something";
  }

  #pump(credit: "with-credit" | "data-only"): void {
    if (this.#output === "dead") return;
    try {
      if (this.#sender.pump(credit) === "blocked") this.#retryLater();
      else this.#retryPauseMs = 0;
    } catch (error) {
      this.#output = "dead";
      // What the other end said before it went away is still to be read.
      while (this.state === "open" && this.#readNow() === "something");
      this.#failed(error as Error);
    }
  }

  #retryLater(): void {
    if (this.#retry === "scheduled" || this.#io.kind === "buffered") return;
    this.#retry = "scheduled";
    const now = this.runtime.clock.now();
    if (this.#sender.sent !== this.#lastSent) {
      this.#lastSent = this.#sender.sent;
      this.#lastSentAt = now;
      this.#retryPauseMs = 0;
    }
    const fire = (): void => {
      this.#retry = "none";
      this.#pump("data-only");
    };
    if (now - this.#lastSentAt < eagerRetryMs) this.runtime.defer(fire);
    else {
      this.#retryPauseMs = Math.min(Math.max(1, 2 * this.#retryPauseMs), longestPauseMs);
      this.runtime.clock.setTimer(this.#retryPauseMs, fire);
    }
  }

  #failed(error: Error): void {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "ECONNRESET" || code === "EPIPE") this.#ended();
    else
      this.peerClosed(
        new PortClosedError("carrier-failed", `the queue's socket failed: ${error.message}`, {
          cause: error,
        }),
      );
  }

  #ended(): void {
    this.peerClosed(
      new PortClosedError("peer-closed", "the other end closed the queue, or its process ended"),
    );
  }
}
