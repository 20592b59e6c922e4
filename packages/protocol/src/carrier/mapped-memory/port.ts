/**
 * A queue in memory that both processes map. The queue's socket carries one byte when, and only when, the other end sleeps, and its end is
 * the other end's end. Each side publishes (a sequentially consistent store) and then looks whether the other sleeps; each side that goes to
 * sleep says so and then looks once more: one of the two always sees the other.
 */
import type { Socket } from "node:net";
import { BasePort } from "../base-port.js";
import { PortClosedError, PortStalledError } from "../errors.js";
import { READER_SLEEPS, type RingMemory, WRITER_WAITS } from "../ring-layout.js";
import type { CarrierRuntime } from "../runtime.js";
import { type SocketIo, socketDescriptor } from "../socket-io.js";
import type { QueueMapping } from "./provider.js";

/** How long a reader that expects more looks for it before it sleeps, in microseconds. 0: never. */
export interface PollPolicy {
  /** After it has read something. */
  readonly afterReadUs: number;
  /** After `expectReply`. */
  readonly forReplyUs: number;
}

/** Chosen by measurement (bench/carriers.mjs): waking a halted processor costs 30-60 µs, so looking on for about as long pays. */
export const defaultPollPolicy: PollPolicy = { afterReadUs: 50, forReplyUs: 50 };

export interface SharedMemoryPortOptions {
  readonly socket: Socket;
  readonly io: SocketIo;
  readonly mapping: QueueMapping;
  readonly transmit: RingMemory;
  readonly receive: RingMemory;
  readonly runtime: CarrierRuntime;
  /** Milliseconds without any progress after which a blocked `begin` gives up. */
  readonly stallMs: number;
  readonly poll: PollPolicy;
}

/** Looks at the ring in one turn of the event loop, a `sched_yield` between them. */
const looksPerTurn = 8;
/** A blocked `begin` yields for so long, then waits for the doorbell in slices. */
const blockedSpinMs = 0.05;
const blockedSliceMs = 5;

export class SharedMemoryPort extends BasePort {
  readonly carrier = "shared-memory";
  readonly #socket: Socket;
  readonly #io: SocketIo;
  readonly #mapping: QueueMapping;
  readonly #transmitControl: Int32Array;
  readonly #receiveControl: Int32Array;
  readonly #stallMs: number;
  readonly #poll: PollPolicy;
  readonly #bell = new Uint8Array(1);
  readonly #rung = new Uint8Array(64);
  #reader: "awake" | "polling" | "asleep" = "awake";
  #writer: "awake" | "asleep" = "awake";
  #pollUntil = 0;
  #blockedSince = 0;

  constructor(options: SharedMemoryPortOptions) {
    super(options.transmit, options.receive, options.runtime);
    this.#socket = options.socket;
    this.#io = options.io;
    this.#mapping = options.mapping;
    this.#transmitControl = options.transmit.control;
    this.#receiveControl = options.receive.control;
    this.#stallMs = options.stallMs;
    this.#poll = options.poll;
    const socket = this.#socket;
    socket.on("data", () => this.#answer());
    socket.on("error", (error) => this.#failed(error));
    socket.on("end", () => this.#ended());
    socket.on("close", () => this.#ended());
    socket.unref();
    socket.resume();
  }

  override ref(): void {
    this.#socket.ref();
  }

  override unref(): void {
    this.#socket.unref();
  }

  protected override notice(): void {
    if (this.#reader !== "awake" && this.rx.hasNews()) this.#wakeLater();
  }

  override expectReply(): void {
    if (this.#poll.forReplyUs <= 0 || this.state === "closed") return;
    this.#pollUntil = Math.max(this.#pollUntil, this.runtime.clock.now() + this.#poll.forReplyUs / 1000);
    if (this.#reader !== "asleep") return;
    Atomics.store(this.#receiveControl, READER_SLEEPS, 0);
    this.#startPolling();
  }

  override published(): void {
    if (Atomics.load(this.#transmitControl, READER_SLEEPS) === 0) return;
    if (Atomics.exchange(this.#transmitControl, READER_SLEEPS, 0) !== 0) this.#ring();
  }

  override padded(): void {}

  override drained(): void {
    if (this.#reader !== "awake") return;
    if (this.#poll.afterReadUs > 0 && this.isReading)
      this.#pollUntil = Math.max(this.#pollUntil, this.runtime.clock.now() + this.#poll.afterReadUs / 1000);
    if (this.#pollUntil > 0) this.#startPolling();
    else this.#sleep();
  }

  override released(): void {
    if (Atomics.load(this.#receiveControl, WRITER_WAITS) === 0) return;
    if (Atomics.exchange(this.#receiveControl, WRITER_WAITS, 0) !== 0) this.#ring();
  }

  override starved(): void {
    this.#writer = "asleep";
    Atomics.store(this.#transmitControl, WRITER_WAITS, 1);
  }

  override block(waited: number): void {
    const now = this.runtime.clock.now();
    if (waited === 0) this.#blockedSince = now;
    const blockedFor = now - this.#blockedSince;
    if (blockedFor < blockedSpinMs) {
      this.#mapping.libc.yield();
      return;
    }
    if (blockedFor > this.#stallMs)
      throw new PortStalledError(
        "stalled",
        `the ring of ${this.tx.capacity} bytes has been full for ${this.#stallMs} ms and its reader took nothing; the other end hangs or is stopped`,
      );
    // Say that we wait, let `begin` look once more, and only then wait for the bell.
    if (Atomics.exchange(this.#transmitControl, WRITER_WAITS, 1) === 0) return;
    const fd = socketDescriptor(this.#socket);
    if (fd < 0) this.#ended();
    else if (this.#mapping.libc.waitReadable(fd, blockedSliceMs)) this.#takeBells();
  }

  protected override dispose(): void {
    this.#mapping.retire();
    this.#socket.destroySoon();
  }

  #takeBells(): void {
    try {
      const got = this.#io.read(this.#rung, 0, this.#rung.length);
      if (got === "end") this.#ended();
      // The bell that we took here may have been for the reader.
      else if (got !== "later" && this.#reader === "asleep") this.#sleep();
    } catch (error) {
      this.#failed(error as Error);
    }
  }

  /**
   * The bell rang, in the event loop. It may ring late: for what a reader found by itself before it went to sleep again. Then nothing
   * is there, and the writer has taken that later sleep for the earlier one: it has to be told anew.
   */
  #answer(): void {
    if (this.state === "closed") return;
    if (this.#writer === "asleep" && Atomics.load(this.#transmitControl, WRITER_WAITS) === 0) {
      this.#writer = "awake";
      this.scheduleWritable();
    }
    if (this.#reader !== "awake" && this.rx.hasNews()) this.#wake();
    else if (this.#reader === "asleep") this.#sleep();
  }

  #wake(): void {
    this.#reader = "awake";
    Atomics.store(this.#receiveControl, READER_SLEEPS, 0);
    this.runReadable();
  }

  #wakeLater(): void {
    this.#reader = "awake";
    Atomics.store(this.#receiveControl, READER_SLEEPS, 0);
    this.scheduleReadable();
  }

  #startPolling(): void {
    this.#reader = "polling";
    this.runtime.defer(this.#look);
  }

  readonly #look = (): void => {
    if (this.#reader !== "polling" || this.state === "closed") return;
    for (let looks = 0; looks < looksPerTurn; looks++) {
      if (this.rx.hasNews()) {
        this.#wake();
        return;
      }
      this.#mapping.libc.yield();
    }
    if (this.runtime.clock.now() < this.#pollUntil) this.runtime.defer(this.#look);
    else this.#sleep();
  };

  #sleep(): void {
    this.#pollUntil = 0;
    this.#reader = "asleep";
    Atomics.store(this.#receiveControl, READER_SLEEPS, 1);
    if (!this.rx.hasNews()) return;
    Atomics.store(this.#receiveControl, READER_SLEEPS, 0);
    this.#reader = "awake";
    this.scheduleReadable();
  }

  #ring(): void {
    try {
      // A socket too full for one byte holds bells enough.
      this.#io.write(this.#bell, 0, 1);
    } catch (error) {
      this.#failed(error as Error);
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
