/**
 * One control connection, either end. Requests carry ids and deadlines, every one of them settles: by its reply, its
 * deadline, or the connection's end. A peer that breaks the framing loses this connection and nothing else.
 *
 * Bounded both ways: at most `maxPending` requests of ours wait for replies; of the peer's at most `maxServing` are
 * being served, beyond that they are refused with EAGAIN. (Not reading on would hide that the peer has died.) An end
 * that serves reads nothing more while its replies are not being read; one that only asks always reads, so that two
 * ends never wait for each other.
 */
import type { Duplex } from "node:stream";
import { type Clock, type ClockTimer, platformClock } from "../clock.js";
import { isProtocolError, ProtocolError } from "../error.js";
import type { Exchange, Notice } from "./codec.js";
import { ControlError, controlError } from "./control-error.js";
import { StatusErrno } from "./errno.js";
import { type ControlFrame, controlFrames, decodeFrame, encodeFrame, FrameFlags } from "./frame.js";
import { ErrorDetail } from "./generated/structs.js";

export interface ControlConnectionOptions {
  readonly clock?: Clock;
  /** How long a request waits for its reply when it names no deadline, in ms. Default 30 000. */
  readonly patienceMs?: number;
  /** Default 1024. */
  readonly maxPending?: number;
  /** Default 1024. */
  readonly maxServing?: number;
  /** Who is at the other end, for messages. */
  readonly peer?: string;
}

export interface RequestOptions {
  /** In ms from now. */
  readonly timeoutMs?: number;
}

/** Serves one request: returns the reply's body. Throws an error with `errno` (positive) to refuse. */
export type RequestHandler = (type: number, body: Uint8Array) => Uint8Array | Promise<Uint8Array>;
export type EventHandler = (type: number, body: Uint8Array) => void;

export type ControlConnectionState = "open" | "detached" | "closed";

interface Pending {
  readonly name: string;
  readonly timer: ClockTimer;
  resolve(body: Uint8Array): void;
  reject(error: Error): void;
}

/** How long the other end may take to read our last bytes after a close, in ms. */
const lingerMs = 1000;

export class ControlConnection {
  readonly peer: string;
  readonly #stream: Duplex;
  readonly #clock: Clock;
  readonly #patienceMs: number;
  readonly #maxPending: number;
  readonly #maxServing: number;
  readonly #frames = controlFrames();
  readonly #pending = new Map<number, Pending>();
  readonly #closeListeners: ((reason: Error) => void)[] = [];
  #state: ControlConnectionState = "open";
  #closeReason: Error | null = null;
  #requestHandler: RequestHandler | null = null;
  #eventHandler: EventHandler | null = null;
  #lastId = 0;
  #serving = 0;
  #flow: "reading" | "held" = "reading";

  constructor(stream: Duplex, options: ControlConnectionOptions = {}) {
    this.#stream = stream;
    this.#clock = options.clock ?? platformClock;
    this.#patienceMs = options.patienceMs ?? 30_000;
    this.#maxPending = options.maxPending ?? 1024;
    this.#maxServing = options.maxServing ?? 1024;
    this.peer = options.peer ?? "the other end";
    stream.on("data", this.#onData);
    stream.on("drain", this.#onDrain);
    stream.on("end", this.#onEnd);
    stream.on("error", this.#onError);
    stream.on("close", this.#onStreamClose);
    // Whoever looked at the first bytes has paused it.
    stream.resume();
  }

  get state(): ControlConnectionState {
    return this.#state;
  }

  /** Set once, before the peer's first request can arrive; without one every request is answered -ENOTTY. */
  onRequest(handler: RequestHandler): void {
    this.#requestHandler = handler;
  }

  /** Receives the peer's messages that want no reply. Without one, and for types it does not know, they are ignored. */
  onEvent(handler: EventHandler): void {
    this.#eventHandler = handler;
  }

  /** Called once, also when already closed. */
  onClose(listener: (reason: Error) => void): void {
    if (this.#closeReason !== null) listener(this.#closeReason);
    else this.#closeListeners.push(listener);
  }

  /**
   * @returns the reply's body, behind the status
   * @throws ControlError with the peer's status; ETIMEDOUT; ENODEV when the connection is or gets closed; EAGAIN when
   *   too many requests are pending
   * @throws ProtocolError too-long
   */
  async request(type: number, body: Uint8Array, options: RequestOptions = {}): Promise<Uint8Array> {
    return this.#ask(`request 0x${type.toString(16)}`, type, body, options);
  }

  /** As `request`, typed. */
  async call<Q, R>(exchange: Exchange<Q, R>, request: Partial<Q>, options: RequestOptions = {}): Promise<R> {
    const body = exchange.request.encode(request);
    return exchange.reply.decode(await this.#ask(exchange.name, exchange.type, body, options));
  }

  /** Sends a message that wants no reply; dropped when the connection is closed. */
  notify<T>(notice: Notice<T>, value: Partial<T>): void {
    if (this.#state === "open") this.#send(encodeFrame(notice.type, 0, 0, notice.body.encode(value)));
  }

  /**
   * Ends the connection: what was sent before still goes out, every pending request rejects with ENODEV. Idempotent.
   */
  close(reason: Error = new Error("closed by this end")): void {
    if (this.#state !== "open") return;
    this.#finish(reason);
    const timer = this.#clock.setTimer(lingerMs, () => this.#stream.destroy());
    this.#stream.once("close", () => timer.cancel());
    // Not destroyed at once: what the other end writes meanwhile would fail there, and it would not read our last words.
    this.#stream.end();
  }

  /**
   * Gives the stream back, paused and without listeners of ours, together with the bytes that came behind the last frame:
   * after a handshake something else goes on with it. No request may be pending.
   * @throws ControlError EBUSY, or ENODEV when closed
   */
  detach(): { readonly stream: Duplex; readonly rest: Uint8Array } {
    if (this.#state !== "open") throw this.#gone("detach");
    if (this.#pending.size > 0) throw controlError("EBUSY", `${this.#pending.size} requests are pending`);
    this.#state = "detached";
    this.#stream.pause();
    this.#unlisten();
    return { stream: this.#stream, rest: this.#frames.rest() };
  }

  #ask(name: string, type: number, body: Uint8Array, options: RequestOptions): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      if (this.#state !== "open") throw this.#gone(name);
      if (this.#pending.size >= this.#maxPending) {
        throw controlError(
          "EAGAIN",
          `${this.#maxPending} requests wait for ${this.peer}; wait for some of them`,
        );
      }
      const timeoutMs = options.timeoutMs ?? this.#patienceMs;
      const id = this.#nextId();
      const frame = encodeFrame(type, 0, id, body);
      const timer = this.#clock.setTimer(timeoutMs, () => {
        this.#pending.delete(id);
        reject(controlError("ETIMEDOUT", `${this.peer} did not answer ${name} within ${timeoutMs} ms`));
      });
      this.#pending.set(id, { name, timer, resolve, reject });
      this.#send(frame);
    });
  }

  #nextId(): number {
    do {
      this.#lastId = this.#lastId === 0xffff_ffff ? 1 : this.#lastId + 1;
    } while (this.#pending.has(this.#lastId));
    return this.#lastId;
  }

  #send(frame: Uint8Array): void {
    if (!this.#stream.write(frame)) this.#regulate();
  }

  /** Reads on unless the peer does not read what it asked for. */
  #regulate(): void {
    if (this.#state !== "open") return;
    const busy = this.#requestHandler !== null && this.#stream.writableNeedDrain;
    if (busy === (this.#flow === "held")) return;
    this.#flow = busy ? "held" : "reading";
    if (busy) this.#stream.pause();
    else {
      this.#stream.resume();
      this.#parse();
    }
  }

  readonly #onData = (chunk: Uint8Array): void => {
    this.#frames.push(chunk);
    this.#parse();
  };

  readonly #onDrain = (): void => this.#regulate();
  readonly #onEnd = (): void => this.#fail(new Error(`${this.peer} hung up`));
  readonly #onError = (error: Error): void => this.#fail(error);
  readonly #onStreamClose = (): void => this.#fail(new Error(`the connection to ${this.peer} ended`));

  #parse(): void {
    try {
      while (this.#state === "open" && this.#flow === "reading") {
        const frame = this.#frames.next();
        if (frame === null) return;
        this.#receive(decodeFrame(frame));
      }
    } catch (error) {
      this.#fail(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #receive(frame: ControlFrame): void {
    if ((frame.flags & FrameFlags.REPLY) !== 0) this.#settle(frame);
    else if (frame.id === 0) this.#eventHandler?.(frame.type, frame.body);
    else this.#serve(frame);
  }

  #settle(frame: ControlFrame): void {
    const pending = this.#pending.get(frame.id);
    // Not there: it missed its deadline. The late answer is nobody's.
    if (pending === undefined) return;
    this.#pending.delete(frame.id);
    pending.timer.cancel();
    if (frame.body.length < 4) {
      const error = new ProtocolError("truncated", `the reply to ${pending.name} has no status`);
      pending.reject(error);
      throw error;
    }
    const status = new DataView(frame.body.buffer, frame.body.byteOffset).getInt32(0, true);
    const body = frame.body.subarray(4);
    if (status < 0) pending.reject(refusal(pending.name, -status, body));
    else pending.resolve(body);
  }

  #serve(frame: ControlFrame): void {
    this.#serving++;
    const done = (status: number, body: Uint8Array): void => {
      this.#serving--;
      if (this.#state !== "open") return;
      this.#send(encodeReply(frame.type, frame.id, status, body));
    };
    const refuse = (error: unknown): void => done(...encodeRefusal(error));
    try {
      const handler = this.#requestHandler;
      if (handler === null)
        throw controlError("ENOTTY", `message 0x${frame.type.toString(16)} is not supported here`);
      if (this.#serving > this.#maxServing) {
        throw controlError("EAGAIN", `${this.#maxServing} requests are being served; wait for some of them`);
      }
      const body = handler(frame.type, frame.body);
      // A handler that answers synchronously has answered before the next frame is looked at.
      if (body instanceof Promise) body.then((value) => done(0, value)).catch(refuse);
      else done(0, body);
    } catch (error) {
      refuse(error);
    }
  }

  #fail(reason: Error): void {
    if (this.#state !== "open") return;
    this.#finish(reason);
    this.#stream.destroy();
  }

  #finish(reason: Error): void {
    this.#state = "closed";
    this.#closeReason = reason;
    this.#unlisten();
    // The stream may still report an error about bytes that nobody waits for any more.
    this.#stream.on("error", () => {});
    this.#stream.resume();
    for (const { name, timer, reject } of this.#pending.values()) {
      timer.cancel();
      reject(this.#gone(name));
    }
    this.#pending.clear();
    for (const listener of this.#closeListeners.splice(0)) listener(reason);
  }

  #unlisten(): void {
    this.#stream.off("data", this.#onData);
    this.#stream.off("drain", this.#onDrain);
    this.#stream.off("end", this.#onEnd);
    this.#stream.off("error", this.#onError);
    this.#stream.off("close", this.#onStreamClose);
  }

  #gone(name: string): ControlError {
    const why = this.#closeReason?.message ?? "it was handed on";
    const options = this.#closeReason === null ? undefined : { cause: this.#closeReason };
    return controlError("ENODEV", `${name}: the connection to ${this.peer} is gone (${why})`, options);
  }
}

function encodeReply(type: number, id: number, status: number, body: Uint8Array): Uint8Array {
  const withStatus = new Uint8Array(4 + body.length);
  new DataView(withStatus.buffer).setInt32(0, status, true);
  withStatus.set(body, 4);
  return encodeFrame(type, FrameFlags.REPLY, id, withStatus);
}

function refusal(name: string, errno: number, body: Uint8Array): ControlError {
  const { text, privateData } = ErrorDetail.decode(body);
  return new ControlError(errno, text === "" ? `${name} was refused` : text, { privateData });
}

/** What becomes of an error that a handler throws: its own errno, EINVAL for a malformed body, EIO for a bug. */
function encodeRefusal(error: unknown): [status: number, body: Uint8Array] {
  const { errno, message, privateData } = describe(error);
  return [-errno, ErrorDetail.encode({ text: message.slice(0, 1000), privateData })];
}

function describe(error: unknown): { errno: number; message: string; privateData: Uint8Array } {
  const nothing = new Uint8Array(0);
  if (!(error instanceof Error))
    return { errno: StatusErrno.EIO, message: String(error), privateData: nothing };
  if (isProtocolError(error))
    return { errno: StatusErrno.EINVAL, message: error.message, privateData: nothing };
  const errno =
    "errno" in error && typeof error.errno === "number" && error.errno > 0 ? error.errno : StatusErrno.EIO;
  const privateData =
    "privateData" in error && error.privateData instanceof Uint8Array ? error.privateData : nothing;
  return { errno, message: withoutCode(error.message), privateData };
}

/** The receiver puts the code in front again. */
function withoutCode(message: string): string {
  return message.replace(/^E[A-Z0-9]+: /, "");
}
