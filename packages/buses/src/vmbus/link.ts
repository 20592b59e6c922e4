/**
 * The connection that a guest kernel and its host share. A frame is `u32 size` (all of it), `u32 relid`, payload; relid 0
 * carries VMBus's own messages, `{number u32, reserved u32}` and a struct, any other one packet of that channel.
 * What breaks the framing ends the link, with the reason told to both sides of this end.
 */
import type { Duplex } from "node:stream";
import type { Runtime } from "parhelion-core";
import { type Notice, ProtocolError, SizedFrames } from "parhelion-protocol";
import { MAX_PACKET } from "./packet.js";

const headerBytes = 8;
const messageHeaderBytes = 8;
/** The other end may take so long to read our last bytes after a close, in ms. */
const lingerMs = 1000;

/** What a link's owner does with what arrives. What these throw ends the link. */
export interface LinkHandlers {
  message(type: number, body: Uint8Array): void;
  packet(relid: number, packet: Uint8Array): void;
  /** Called once. */
  closed(reason: Error): void;
}

export interface LinkOptions {
  /** Who is at the other end, for messages. */
  readonly peer: string;
  /**
   * Whether nothing more is read while the peer does not read what it is sent. The host's end holds; the guest's, which asks,
   * reads always, so that the two never wait for each other.
   */
  readonly whenBackedUp: "hold" | "read";
}

export class VmbusLink {
  readonly peer: string;
  readonly #stream: Duplex;
  readonly #runtime: Runtime;
  readonly #whenBackedUp: "hold" | "read";
  readonly #handlers: LinkHandlers;
  readonly #frames = new SizedFrames(headerBytes, headerBytes + MAX_PACKET);
  #state: "open" | "closed" = "open";
  #flow: "reading" | "held" = "reading";

  constructor(runtime: Runtime, stream: Duplex, options: LinkOptions, handlers: LinkHandlers) {
    this.#runtime = runtime;
    this.#stream = stream;
    this.peer = options.peer;
    this.#whenBackedUp = options.whenBackedUp;
    this.#handlers = handlers;
    stream.on("data", this.#onData);
    stream.on("drain", this.#regulate);
    stream.on("end", this.#onEnd);
    stream.on("error", this.#onError);
    stream.on("close", this.#onClose);
    // Who looked at the first bytes has paused it.
    stream.resume();
  }

  get state(): "open" | "closed" {
    return this.#state;
  }

  /** Dropped when the link is closed. @throws ProtocolError too-long */
  sendMessage<T>(notice: Notice<T>, value: Partial<T>): void {
    const body = notice.body.encode(value);
    const payload = new Uint8Array(messageHeaderBytes + body.length);
    new DataView(payload.buffer).setUint32(0, notice.type, true);
    payload.set(body, messageHeaderBytes);
    this.sendPacket(0, payload);
  }

  /** Dropped when the link is closed. */
  sendPacket(relid: number, payload: Uint8Array): void {
    if (this.#state !== "open") return;
    const head = new Uint8Array(headerBytes);
    const view = new DataView(head.buffer);
    view.setUint32(0, headerBytes + payload.length, true);
    view.setUint32(4, relid, true);
    this.#stream.write(head);
    if (!this.#stream.write(payload)) this.#regulate();
  }

  /** What was sent before still goes out. Idempotent. */
  close(reason: Error): void {
    if (this.#state !== "open") return;
    this.#finish(reason);
    const timer = this.#runtime.clock.setTimer(lingerMs, () => this.#stream.destroy());
    this.#stream.once("close", () => timer.cancel());
    this.#stream.end(() => this.#stream.destroy());
  }

  readonly #onData = (chunk: Uint8Array): void => {
    this.#frames.push(chunk);
    this.#parse();
  };

  readonly #onEnd = (): void => this.#fail(new Error(`${this.peer} hung up`));
  readonly #onError = (cause: Error): void =>
    this.#fail(new Error(`${this.peer} hung up (${cause.message})`, { cause }));
  readonly #onClose = (): void => this.#fail(new Error(`the connection to ${this.peer} ended`));

  readonly #regulate = (): void => {
    if (this.#state !== "open" || this.#whenBackedUp === "read") return;
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
        const view = new DataView(frame.buffer);
        const relid = view.getUint32(4, true);
        const payload = frame.subarray(headerBytes);
        if (relid !== 0) this.#handlers.packet(relid, payload);
        else if (payload.length < messageHeaderBytes) {
          throw new ProtocolError("truncated", `a VMBus message of ${payload.length} bytes has no header`);
        } else
          this.#handlers.message(view.getUint32(headerBytes, true), payload.subarray(messageHeaderBytes));
      }
    } catch (error) {
      this.#fail(error instanceof Error ? error : new Error(String(error)));
    }
  }

  readonly #fail = (reason: Error): void => {
    if (this.#state !== "open") return;
    this.#finish(reason);
    this.#stream.destroy();
  };

  #finish(reason: Error): void {
    this.#state = "closed";
    this.#stream.off("data", this.#onData);
    this.#stream.off("drain", this.#regulate);
    this.#stream.off("end", this.#onEnd);
    this.#stream.off("error", this.#onError);
    this.#stream.off("close", this.#onClose);
    // The stream may still report an error about bytes that nobody waits for any more.
    this.#stream.on("error", () => {});
    this.#stream.resume();
    this.#handlers.closed(reason);
  }
}
