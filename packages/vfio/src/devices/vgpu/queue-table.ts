/** The queues that a driver has attached to rings of its own, by number, and their registers. */
import type { Duplex } from "node:stream";
import type { Named, Runtime } from "parhelion-core";
import type { BusDma } from "../pci/bus-master.js";
import { QueueStream } from "./queue-stream.js";
import type { VgpuReply } from "./vgpu-backend.js";
import { MOST_QUEUES, QueueAttach, QueueCommand, QueueRegister, QueueState } from "./vgpu-registers.js";

export interface QueueTableInit {
  readonly runtime: Runtime;
  readonly name: string;
  readonly dma: BusDma;
  /** A connection to the engine's queue socket. */
  connect(): Duplex;
  changed(): void;
  failed(error: unknown): void;
}

/** STATUS_INVALID_PARAMETER and STATUS_NOT_SUPPORTED. */
const invalidParameter = 0xc000_000d | 0;
const notSupported = 0xc000_00bb | 0;
const leastBytes = 4096;
const mostBytes = 2 ** 30;

export class QueueTable implements Named {
  readonly name: string;
  readonly #init: QueueTableInit;
  readonly #queues = new Map<number, QueueStream>();
  #state: "open" | "closed" = "open";

  constructor(init: QueueTableInit) {
    this.name = init.name;
    this.#init = init;
  }

  /** One command about queues. */
  serve(type: number, body: Uint8Array): VgpuReply {
    if (type === QueueCommand.attach) return this.#attach(body);
    if (type === QueueCommand.detach) return this.#detach(body);
    return refusal(notSupported, `command ${type} about queues is not known`);
  }

  /** @param offset from the begin of the queues' registers */
  write(offset: number, value: number): void {
    this.#access("read");
    const queue = this.#queues.get(Math.floor(offset / QueueRegister.bytes));
    const register = offset % QueueRegister.bytes;
    if (register === QueueRegister.sent) queue?.sent(value);
    else if (register === QueueRegister.consumed) queue?.consumed(value);
  }

  get registers(): Uint8Array {
    this.#access("read");
    const bytes = new Uint8Array(MOST_QUEUES * QueueRegister.bytes);
    const view = new DataView(bytes.buffer);
    for (const [number, queue] of this.#queues) {
      const at = number * QueueRegister.bytes;
      const { taken, received, state } = queue.counts;
      view.setUint32(at + QueueRegister.taken, taken, true);
      view.setUint32(at + QueueRegister.received, received, true);
      view.setUint32(at + QueueRegister.state, QueueState[state], true);
    }
    return bytes;
  }

  close(): void {
    this.#access("write");
    this.#state = "closed";
    for (const queue of this.#queues.values()) queue.end();
    this.#queues.clear();
  }

  #attach(body: Uint8Array): VgpuReply {
    if (body.length !== QueueAttach.bytes)
      return refusal(invalidParameter, `${QueueAttach.bytes} bytes describe a queue, not ${body.length}`);
    const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
    const number = view.getUint32(QueueAttach.number, true);
    const ring = (base: number, size: number) => ({
      base: view.getBigUint64(base, true),
      bytes: view.getUint32(size, true),
    });
    const send = ring(QueueAttach.sendBase, QueueAttach.sendBytes);
    const receive = ring(QueueAttach.receiveBase, QueueAttach.receiveBytes);
    for (const { bytes } of [send, receive])
      if (bytes < leastBytes || bytes > mostBytes || (bytes & (bytes - 1)) !== 0)
        return refusal(
          invalidParameter,
          `a ring of ${bytes} bytes; give a power of two, ${leastBytes} to ${mostBytes}`,
        );
    this.#access("write");
    if (this.#state === "closed" || number >= MOST_QUEUES || this.#queues.has(number))
      return refusal(invalidParameter, `queue ${number} is taken, or not below ${MOST_QUEUES}`);
    const { runtime, name, dma, connect, changed, failed } = this.#init;
    const init = {
      runtime,
      name: `${name}.${number}`,
      dma,
      stream: connect(),
      send,
      receive,
      changed,
      failed,
    };
    this.#queues.set(number, new QueueStream(init));
    return done();
  }

  #detach(body: Uint8Array): VgpuReply {
    const number = body.length === 4 ? new DataView(body.buffer, body.byteOffset).getUint32(0, true) : -1;
    this.#access("write");
    const queue = this.#queues.get(number);
    if (queue === undefined) return refusal(invalidParameter, "there is no such queue");
    this.#queues.delete(number);
    queue.end();
    return done();
  }

  #access(mode: "read" | "write"): void {
    this.#init.runtime.scheduler.access(this, mode);
  }
}

function done(): VgpuReply {
  return { status: 0, body: new Uint8Array() };
}

function refusal(status: number, words: string): VgpuReply {
  return { status, body: new TextEncoder().encode(words) };
}
