import { isProtocolError, type ProtocolError } from "../error.js";
import { PortClosedError } from "./errors.js";
import type { CarrierKind, Port, PortState } from "./port.js";
import type { RingMemory } from "./ring-layout.js";
import { Reader, type ReaderLink } from "./ring-reader.js";
import { Writer, type WriterLink } from "./ring-writer.js";
import type { CarrierRuntime } from "./runtime.js";

type Phase = "open" | "closing" | "closed";
type Turn = "idle" | "scheduled";

/** What all carriers share: listeners that are never re-entered, and one orderly end. */
export abstract class BasePort implements Port, WriterLink, ReaderLink {
  abstract readonly carrier: CarrierKind;
  readonly tx: Writer;
  readonly rx: Reader;
  protected readonly runtime: CarrierRuntime;
  #phase: Phase = "open";
  #reason: Error | undefined;
  #readable: (() => void) | undefined;
  #readTurn: Turn = "idle";
  #reading: "no" | "yes" = "no";
  #writable: (() => void) | undefined;
  #writeTurn: Turn = "idle";
  readonly #closeListeners: ((reason: Error) => void)[] = [];

  constructor(transmit: RingMemory, receive: RingMemory, runtime: CarrierRuntime) {
    this.tx = new Writer(transmit, this);
    this.rx = new Reader(receive, this);
    this.runtime = runtime;
  }

  get state(): PortState {
    return this.#phase === "open" ? "open" : "closed";
  }

  onReadable(listener: () => void): void {
    this.#readable = listener;
    this.scheduleReadable();
  }

  onWritable(listener: () => void): void {
    this.#writable = listener;
  }

  onClose(listener: (reason: Error) => void): void {
    if (this.#phase === "closed") {
      const reason = this.closeReason();
      this.runtime.defer(() => listener(reason));
    } else this.#closeListeners.push(listener);
  }

  look(): number {
    if (this.#phase !== "open") return 0;
    this.notice();
    return this.rx.backlog;
  }

  expectReply(): void {}

  abstract ref(): void;
  abstract unref(): void;

  close(reason?: Error): void {
    this.finish(reason ?? new PortClosedError("closed", "this end closed the port"));
  }

  closeReason(): Error {
    return this.#reason ?? new PortClosedError("closed", "the port is closed");
  }

  /** What may have arrived without this end's knowledge is looked for now. */
  protected abstract notice(): void;

  // What the rings ask of the carrier.
  abstract published(from: number, to: number): void;
  abstract padded(position: number, bytes: number): void;
  abstract starved(): void;
  abstract block(waited: number): void;
  abstract drained(): void;
  abstract released(): void;

  writerFailed(error: ProtocolError): void {
    this.protocolFailed(error);
  }

  readerFailed(error: ProtocolError): void {
    this.protocolFailed(error);
  }

  protected protocolFailed(error: ProtocolError): void {
    this.finish(
      new PortClosedError("protocol", `the other end broke the carrier's rules: ${error.message}`, {
        cause: error,
      }),
    );
  }

  protected get isReading(): boolean {
    return this.#reading === "yes";
  }

  protected get hasReadableListener(): boolean {
    return this.#readable !== undefined;
  }

  /** Also while the listener runs: then it is called again. */
  protected scheduleReadable(): void {
    if (this.#readTurn === "scheduled" || this.#readable === undefined) return;
    this.#readTurn = "scheduled";
    this.runtime.defer(() => {
      this.#readTurn = "idle";
      if (this.#phase === "open") this.runReadable();
    });
  }

  /** Calls the listener now. Only from the event loop, or where the port's documentation says so. */
  protected runReadable(): void {
    if (this.#readable === undefined || this.#reading === "yes") return;
    this.#reading = "yes";
    try {
      this.#readable();
    } catch (error) {
      // A listener that lets a protocol error through must not end the process: the port is closed by now.
      if (!isProtocolError(error)) throw error;
      this.protocolFailed(error);
    } finally {
      this.#reading = "no";
    }
  }

  protected scheduleWritable(): void {
    if (this.#writeTurn !== "idle" || this.#writable === undefined) return;
    this.#writeTurn = "scheduled";
    this.runtime.defer(() => {
      this.#writeTurn = "idle";
      if (this.#phase === "open") this.#writable?.();
    });
  }

  /** The other end is gone: nothing can be written any more; what it published before is read, then the port is closed. */
  protected peerClosed(reason: Error): void {
    if (this.#phase !== "open") return;
    this.#phase = "closing";
    this.#reason = reason;
    this.tx.shut();
    this.runtime.defer(() => {
      try {
        if (this.#phase === "closing" && this.rx.hasNews()) this.runReadable();
      } finally {
        this.#settle();
      }
    });
  }

  /** Ends everything at once. Idempotent. */
  protected finish(reason: Error): void {
    if (this.#phase === "closed") return;
    const announced = this.#phase === "closing";
    this.#reason ??= reason;
    this.#phase = "closing";
    this.tx.shut();
    this.rx.shut();
    if (!announced) this.runtime.defer(() => this.#settle());
  }

  #settle(): void {
    if (this.#phase === "closed") return;
    this.#phase = "closed";
    this.tx.shut();
    this.rx.shut();
    this.dispose();
    const reason = this.closeReason();
    for (const listener of this.#closeListeners.splice(0)) listener(reason);
  }

  /** Gives back what the carrier holds. Called once, before the close listeners. */
  protected abstract dispose(): void;
}
