/**
 * The connection that a guest kernel and its host share: VMBus's own messages, `{number u32, reserved u32}` and a struct, on
 * channel number 0, and the packets of the channels on the others. What breaks the protocol ends the link, with the reason
 * told to both sides of this end.
 */
import type { Duplex } from "node:stream";
import { Completion, KernelError, type Named, type Runtime } from "parhelion-core";
import { type Notice, ProtocolError, type VmbusHeartbeat, vmbusMessage } from "parhelion-protocol";
import type { CarrierOptions, VmbusCarrier } from "./carrier.js";
import { StreamCarrier } from "./stream-carrier.js";

const messageHeaderBytes = 8;

/** What a link's owner does with what arrives. What these throw ends the link. */
export interface LinkHandlers {
  message(type: number, body: Uint8Array): void;
  packet(relid: number, packet: Uint8Array): void;
  /** Called once. */
  closed(reason: Error): void;
}

export class VmbusLink implements Named {
  readonly name: string;
  readonly peer: string;
  readonly #runtime: Runtime;
  readonly #carrier: VmbusCarrier;
  readonly #handlers: LinkHandlers;
  #state: "open" | "closed" = "open";
  #lastHeard: number;
  #lastBeat = 0n;
  /** Questions to the other end, by number. */
  readonly #beats = new Map<bigint, Completion>();

  constructor(
    runtime: Runtime,
    connection: Duplex | VmbusCarrier,
    options: CarrierOptions,
    handlers: LinkHandlers,
  ) {
    this.#runtime = runtime;
    this.peer = options.peer;
    this.name = `link to ${options.peer}`;
    this.#handlers = handlers;
    this.#lastHeard = runtime.clock.now();
    this.#carrier = "cut" in connection ? connection : new StreamCarrier(runtime, connection, options);
    this.#carrier.receive({
      frame: (relid, payload) => this.#onFrame(relid, payload),
      ended: (reason) => this.#finish(reason),
    });
  }

  get state(): "open" | "closed" {
    this.#runtime.scheduler.access(this, "read");
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
    if (this.state === "open") this.#carrier.send(relid, payload);
  }

  /** When something came last, in ms on the runtime's clock. */
  get lastHeard(): number {
    return this.#lastHeard;
  }

  /** Precondition: the other end has the feature. @throws KernelError ETIMEDOUT, ENODEV the link is closed or gets closed */
  async check(timeoutMs: number): Promise<void> {
    if (this.state !== "open") throw new KernelError("ENODEV", `${this.name} is closed`);
    this.#runtime.scheduler.access(this, "write");
    this.#lastBeat += 1n;
    const number = this.#lastBeat;
    const answered = new Completion(this.#runtime, `heartbeat ${number} on ${this.name}`);
    this.#beats.set(number, answered);
    this.sendMessage(vmbusMessage.heartbeat, { number });
    try {
      await answered.wait({ deadline: this.#runtime.clock.now() + timeoutMs });
    } finally {
      this.#runtime.scheduler.access(this, "write");
      this.#beats.delete(number);
    }
  }

  /** The other end asks, or answers. */
  beat({ number, answer }: VmbusHeartbeat): void {
    this.#runtime.scheduler.access(this, "read");
    if (answer === 1) this.#beats.get(number)?.completeAll();
    else this.sendMessage(vmbusMessage.heartbeat, { number, answer: 1 });
  }

  /** What was sent before is dropped. Idempotent. */
  cut(reason: Error): void {
    if (this.state !== "open") return;
    this.#carrier.cut();
    this.#finish(reason);
  }

  /** What was sent before still goes out. Idempotent. */
  close(reason: Error): void {
    if (this.state !== "open") return;
    this.#carrier.close();
    this.#finish(reason);
  }

  #onFrame(relid: number, payload: Uint8Array): void {
    if (this.state !== "open") return;
    this.#lastHeard = this.#runtime.clock.now();
    try {
      if (relid !== 0) this.#handlers.packet(relid, payload);
      else if (payload.length < messageHeaderBytes) {
        throw new ProtocolError("truncated", `a VMBus message of ${payload.length} bytes has no header`);
      } else {
        const type = new DataView(payload.buffer, payload.byteOffset).getUint32(0, true);
        this.#handlers.message(type, payload.subarray(messageHeaderBytes));
      }
    } catch (error) {
      this.#carrier.cut();
      this.#finish(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #finish(reason: Error): void {
    if (this.state !== "open") return;
    this.#runtime.scheduler.access(this, "write");
    this.#state = "closed";
    for (const beat of this.#beats.values()) beat.fail(new KernelError("ENODEV", reason.message));
    this.#handlers.closed(reason);
  }
}
