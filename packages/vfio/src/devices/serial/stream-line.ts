/**
 * A serial line whose other end is a stream of bytes: a pty's or a socket's. Nothing is lost either way: the stream waits while the
 * receiver is full, and the port while the stream is.
 */
import type { Duplex } from "node:stream";
import type { Runtime } from "parhelion-core";
import { type LineEnd, readyInputs, type SerialLine } from "./line.js";

/** More is not kept for a stream that takes nothing. */
const mostWaiting = 4096;

export class StreamLine implements SerialLine {
  readonly #runtime: Runtime;
  readonly #port: LineEnd;
  readonly #stream: Duplex;
  /** From the stream, for the port. */
  #incoming: Uint8Array = new Uint8Array(0);
  /** From the port, for the stream. */
  #outgoing: number[] = [];
  #state: "open" | "closed" = "open";

  /** @param ended called once, when the other end has gone or failed */
  constructor(runtime: Runtime, port: LineEnd, stream: Duplex, ended: () => void) {
    this.#runtime = runtime;
    this.#port = port;
    this.#stream = stream;
    stream.on("data", (bytes: Uint8Array) => this.#take(bytes));
    stream.on("error", () => undefined);
    stream.on("close", () => {
      this.#state = "closed";
      // Whoever waits for it would wait for ever.
      port.ready();
      ended();
    });
    port.inputs(readyInputs);
  }

  send(character: number): "sent" | "busy" {
    if (this.#state === "closed") return "sent";
    if (this.#outgoing.length + this.#stream.writableLength >= mostWaiting) return "busy";
    this.#outgoing.push(character);
    // One write for all that a driver sends in one go.
    if (this.#outgoing.length === 1)
      this.#runtime.scheduler.spawn("serial output", async () => this.#flush());
    return "sent";
  }

  room(): void {
    this.#give();
  }

  /** The stream is destroyed; `ended` is called. */
  close(): void {
    this.#stream.destroy();
  }

  #flush(): void {
    const bytes = Uint8Array.from(this.#outgoing);
    this.#outgoing = [];
    // There is room again when it is written, and when it never will be.
    if (this.#state === "open") this.#stream.write(bytes, () => this.#port.ready());
  }

  #take(bytes: Uint8Array): void {
    // Paused while something is left: nothing more comes then but what was on its way.
    this.#incoming = this.#incoming.length === 0 ? bytes : Buffer.concat([this.#incoming, bytes]);
    this.#give();
  }

  #give(): void {
    while (this.#port.room > 0) {
      const [character] = this.#incoming;
      if (character === undefined) break;
      // Before the port has it: it may ask for more at once.
      this.#incoming = this.#incoming.subarray(1);
      this.#port.receive(character);
    }
    if (this.#incoming.length > 0) this.#stream.pause();
    else this.#stream.resume();
  }
}
