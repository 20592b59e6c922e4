/**
 * The bytes of one of an engine's queues, in two rings in the driver's memory: what the driver puts into one goes to the engine,
 * what the engine says comes into the other. Neither side waits for the other longer than its ring lasts.
 */
import type { Duplex } from "node:stream";
import { Completion, isKernelError, type Named, noDeadline, type Runtime, WaitQueue } from "parhelion-core";
import type { BusDma } from "../pci/bus-master.js";

export interface QueueRing {
  readonly base: bigint;
  /** A power of two. */
  readonly bytes: number;
}

export interface QueueStreamInit {
  readonly runtime: Runtime;
  readonly name: string;
  readonly dma: BusDma;
  readonly stream: Duplex;
  /** From the driver, and to it. */
  readonly send: QueueRing;
  readonly receive: QueueRing;
  /** Bytes were taken or put, or it has ended. */
  changed(): void;
  /** The driver's memory can't be used, or its counts can't be. Called once; it has ended then. */
  failed(error: unknown): void;
}

/** More is not copied in one go. */
const mostBytes = 64 * 1024;

export class QueueStream implements Named {
  readonly name: string;
  readonly #init: QueueStreamInit;
  readonly #moved: WaitQueue;
  /** Counts of bytes, modulo 2^32: put by the driver and taken from it, put for the driver and taken by it. */
  #sent = 0;
  #taken = 0;
  #received = 0;
  #consumed = 0;
  /** From the engine, with no room yet. */
  #arrived: Uint8Array[] = [];
  #engine: "there" | "gone" = "there";
  #state: "open" | "ended" = "open";

  constructor(init: QueueStreamInit) {
    const { runtime, stream, name } = init;
    this.name = name;
    this.#init = init;
    this.#moved = new WaitQueue(runtime, `movement of ${name}`);
    stream.on("data", (bytes: Uint8Array) => {
      stream.pause();
      this.#access("write");
      this.#arrived.push(bytes);
      this.#moved.wake();
    });
    stream.on("error", () => undefined);
    // What it has said before still goes to the driver.
    const over = (): void => {
      this.#access("write");
      this.#engine = "gone";
      this.#moved.wake();
    };
    stream.on("end", over);
    stream.on("close", over);
    runtime.scheduler.spawn(`bytes to ${name}`, () => this.#run(() => this.#sendSome()));
    runtime.scheduler.spawn(`bytes from ${name}`, () => this.#run(() => this.#receiveSome()));
  }

  get counts(): { readonly taken: number; readonly received: number; readonly state: "open" | "ended" } {
    this.#access("read");
    return { taken: this.#taken, received: this.#received, state: this.#state };
  }

  /** @param sent how many bytes the driver has ever put, modulo 2^32 */
  sent(sent: number): void {
    this.#access("write");
    // A count that goes back looks like one that is far ahead: both would have sent what nobody has put.
    const added = (sent - this.#sent) >>> 0;
    const waiting = (this.#sent - this.#taken) >>> 0;
    if (added + waiting > this.#init.send.bytes) {
      this.#fail(new RangeError(`${this.name}: more bytes were sent than its ring holds`));
      return;
    }
    this.#sent = sent >>> 0;
    this.#moved.wake();
  }

  /** @param consumed how many bytes the driver has ever taken, modulo 2^32; what can't be is not believed */
  consumed(consumed: number): void {
    this.#access("write");
    if ((consumed - this.#consumed) >>> 0 > (this.#received - this.#consumed) >>> 0) return;
    this.#consumed = consumed >>> 0;
    this.#moved.wake();
  }

  /** Nothing is written to the driver's memory any more, and the engine sees the end. */
  end(): void {
    this.#access("write");
    if (this.#state === "ended") return;
    this.#state = "ended";
    this.#init.stream.destroy();
    this.#moved.wake();
    this.#init.changed();
  }

  async #run(some: () => Promise<void>): Promise<void> {
    try {
      while (this.#isOpen) await some();
    } catch (error) {
      // The driver has gone: there is nobody to tell.
      if (isKernelError(error, "ENODEV")) this.end();
      else this.#fail(error);
    }
  }

  async #sendSome(): Promise<void> {
    const { runtime, dma, stream, send, changed } = this.#init;
    await this.#moved.wait(() => !this.#isOpen || this.#sent !== this.#taken, { deadline: noDeadline });
    if (!this.#isOpen) return;
    const at = this.#taken % send.bytes;
    const length = Math.min((this.#sent - this.#taken) >>> 0, send.bytes - at, mostBytes);
    const bytes = (await dma.read(send.base + BigInt(at), length)).slice();
    if (!this.#isOpen) return;
    const written = new Completion(runtime, `write to ${this.name}`);
    stream.write(bytes, () => written.completeAll());
    await written.wait({ deadline: noDeadline });
    this.#access("write");
    this.#taken = (this.#taken + length) >>> 0;
    changed();
  }

  async #receiveSome(): Promise<void> {
    const { dma, stream, receive, changed } = this.#init;
    await this.#moved.wait(
      () => !this.#isOpen || this.#isOver || (this.#arrived.length > 0 && this.#room > 0),
      {
        deadline: noDeadline,
      },
    );
    if (this.#isOver) this.end();
    const [next] = this.#arrived;
    if (!this.#isOpen || next === undefined) return;
    const at = this.#received % receive.bytes;
    const length = Math.min(next.length, this.#room, receive.bytes - at);
    await dma.write(receive.base + BigInt(at), next.subarray(0, length));
    if (!this.#isOpen) return;
    this.#access("write");
    if (length === next.length) this.#arrived.shift();
    else this.#arrived[0] = next.subarray(length);
    this.#received = (this.#received + length) >>> 0;
    if (this.#arrived.length === 0) stream.resume();
    changed();
  }

  get #room(): number {
    return this.#init.receive.bytes - ((this.#received - this.#consumed) >>> 0);
  }

  /** The engine has gone, and all that it has said is with the driver. */
  get #isOver(): boolean {
    return this.#engine === "gone" && this.#arrived.length === 0;
  }

  get #isOpen(): boolean {
    this.#access("read");
    return this.#state === "open";
  }

  #fail(error: unknown): void {
    if (!this.#isOpen) return;
    this.end();
    this.#init.failed(error);
  }

  #access(mode: "read" | "write"): void {
    this.#init.runtime.scheduler.access(this, mode);
  }
}
