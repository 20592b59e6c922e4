/**
 * The carrier for sockets and other streams of bytes: `u32 size` (all of it), `u32 relid`, payload. What breaks the framing
 * ends the connection.
 */
import type { Duplex } from "node:stream";
import type { Runtime } from "parhelion-core";
import { SizedFrames } from "parhelion-protocol";
import type { CarrierOptions, VmbusCarrier, VmbusReceiver } from "./carrier.js";
import { MAX_PACKET } from "./packet.js";

const headerBytes = 8;
/** The other end may take so long to read our last bytes after a close, in ms. */
const lingerMs = 1000;

export class StreamCarrier implements VmbusCarrier {
  readonly #runtime: Runtime;
  readonly #stream: Duplex;
  readonly #options: CarrierOptions;
  readonly #frames = new SizedFrames(headerBytes, headerBytes + MAX_PACKET);
  #receiver: VmbusReceiver | null = null;
  #state: "open" | "closed" = "open";
  #flow: "reading" | "held" = "reading";

  constructor(runtime: Runtime, stream: Duplex, options: CarrierOptions) {
    this.#runtime = runtime;
    this.#stream = stream;
    this.#options = options;
  }

  receive(receiver: VmbusReceiver): void {
    this.#receiver = receiver;
    const stream = this.#stream;
    stream.on("data", this.#onData);
    stream.on("drain", this.#regulate);
    stream.on("end", this.#onEnd);
    stream.on("error", this.#onError);
    stream.on("close", this.#onClose);
    // Who looked at the first bytes has paused it.
    stream.resume();
  }

  send(relid: number, payload: Uint8Array): void {
    if (this.#state !== "open") return;
    const head = new Uint8Array(headerBytes);
    const view = new DataView(head.buffer);
    view.setUint32(0, headerBytes + payload.length, true);
    view.setUint32(4, relid, true);
    this.#stream.write(head);
    if (!this.#stream.write(payload)) this.#regulate();
  }

  close(): void {
    if (this.#state !== "open") return;
    this.#finish();
    const timer = this.#runtime.clock.setTimer(lingerMs, () => this.#stream.destroy());
    this.#stream.once("close", () => timer.cancel());
    this.#stream.end(() => this.#stream.destroy());
  }

  cut(): void {
    if (this.#state !== "open") return;
    this.#finish();
    this.#stream.destroy();
  }

  readonly #onData = (chunk: Uint8Array): void => {
    this.#frames.push(chunk);
    this.#parse();
  };

  readonly #onEnd = (): void => this.#fail(new Error(`${this.#options.peer} hung up`));
  readonly #onError = (cause: Error): void =>
    this.#fail(new Error(`${this.#options.peer} hung up (${cause.message})`, { cause }));
  readonly #onClose = (): void => this.#fail(new Error(`the connection to ${this.#options.peer} ended`));

  readonly #regulate = (): void => {
    if (this.#state !== "open" || this.#options.whenBackedUp === "read") return;
    const backedUp = this.#stream.writableNeedDrain;
    if (backedUp === (this.#flow === "held")) return;
    this.#flow = backedUp ? "held" : "reading";
    if (backedUp) this.#stream.pause();
    else {
      this.#stream.resume();
      this.#parse();
    }
  };

  #parse(): void {
    try {
      while (this.#state === "open" && this.#flow === "reading") {
        const frame = this.#frames.next();
        if (frame === null) return;
        const relid = new DataView(frame.buffer).getUint32(4, true);
        this.#receiver?.frame(relid, frame.subarray(headerBytes));
      }
    } catch (error) {
      this.#fail(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #fail(reason: Error): void {
    if (this.#state !== "open") return;
    this.cut();
    this.#receiver?.ended(reason);
  }

  #finish(): void {
    this.#state = "closed";
    this.#stream.off("data", this.#onData);
    this.#stream.off("drain", this.#regulate);
    this.#stream.off("end", this.#onEnd);
    this.#stream.off("error", this.#onError);
    this.#stream.off("close", this.#onClose);
    // The stream may still report an error about bytes that nobody waits for any more.
    this.#stream.on("error", () => {});
    this.#stream.resume();
  }
}
