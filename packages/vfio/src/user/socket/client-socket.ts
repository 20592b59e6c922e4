/** One client's connection as messages: what comes whole is handed on, what goes is queued by Node. */
import type { Socket } from "node:net";
import { Completion, type Runtime, type WaitOptions, WaitQueue } from "parhelion-core";
import { type Broken, type Frame, Frames } from "../wire/frames.js";
import { within } from "../within.js";
import type { Intake } from "./intake.js";

export interface FrameReceiver {
  /** The frame's descriptors are the receiver's. */
  frame(frame: Frame): void;
  /** No message comes any more, because of what the client sent. The connection is still there to answer. */
  broken(broken: Broken): void;
  /** The last call, once. @param error null: the client hung up, or this end closed */
  ended(error: Error | null): void;
}

/** The other end may take so long to read our last bytes after a close, in ms. */
const lingerMs = 1000;
/** For all that a close waits for, in ms. */
const teardownMs = 5000;

export class ClientSocket {
  readonly descriptors: Intake["descriptors"];
  readonly #runtime: Runtime;
  readonly #socket: Socket;
  readonly #intake: Intake;
  readonly #frames: Frames;
  readonly #closeFd: (fd: number) => void;
  readonly #drained: WaitQueue;
  #receiver: FrameReceiver | null = null;
  #state: "open" | "closing" | "closed" = "open";

  /** @param most bytes of a message. @param closeFd for descriptors of a message that never becomes whole */
  constructor(runtime: Runtime, socket: Socket, intake: Intake, most: number, closeFd: (fd: number) => void) {
    this.#runtime = runtime;
    this.#socket = socket;
    this.#intake = intake;
    this.#frames = new Frames(most);
    this.#closeFd = closeFd;
    this.descriptors = intake.descriptors;
    this.#drained = new WaitQueue(runtime, "a client's socket");
    socket.on("drain", () => this.#drained.wake());
    socket.on("error", (error) => this.#end(error));
    socket.once("close", () => this.#end(null));
  }

  get state(): "open" | "closing" | "closed" {
    return this.#state;
  }

  start(receiver: FrameReceiver): void {
    this.#receiver = receiver;
    this.#intake.start({
      piece: (bytes, fds, descriptors) => this.#piece(bytes, fds, descriptors),
      ended: (error) => this.#end(error),
    });
  }

  send(bytes: Uint8Array): void {
    if (this.#state === "open") this.#socket.write(bytes);
  }

  /** "full": what was sent waits for the other end to read; send no more until `drained`. */
  get outgoing(): "room" | "full" {
    return this.#state === "open" && this.#socket.writableNeedDrain ? "full" : "room";
  }

  /** Waits until the client has read most of what was sent. @throws KernelError ETIMEDOUT */
  async drained(options?: WaitOptions): Promise<void> {
    const ready = (): boolean => this.outgoing === "room";
    if (!ready()) await this.#drained.wait(ready, options);
  }

  /** Hands on what has come by now. */
  look(): void {
    if (this.#state === "open") this.#intake.look();
  }

  hold(): void {
    this.#intake.hold();
  }

  resume(): void {
    // What comes after a message that can't be is nobody's, its descriptors too.
    if (this.#state === "open" && this.#frames.broken === null) this.#intake.resume();
  }

  /** Sends what is left and hangs up; settles when nothing of it is left. Idempotent. @throws KernelError ETIMEDOUT */
  async close(): Promise<void> {
    if (this.#state === "open") {
      this.#state = "closing";
      const timer = this.#runtime.clock.setTimer(lingerMs, () => this.#socket.destroy());
      this.#socket.once("close", () => timer.cancel());
      this.#socket.end(() => this.#socket.destroy());
    }
    const deadline = this.#runtime.clock.now() + teardownMs;
    await within(this.#runtime, "end of an intake", () => this.#intake.stop(), { deadline });
    const closed = new Completion(this.#runtime, "end of a socket");
    if (this.#socket.closed) return;
    this.#socket.once("close", () => closed.completeAll());
    await closed.wait({ deadline });
  }

  #piece(bytes: Uint8Array, fds: readonly number[], descriptors?: Frame["descriptors"]): void {
    if (this.#state !== "open") {
      for (const fd of fds) this.#closeFd(fd);
      return;
    }
    const was = this.#frames.broken;
    for (const frame of this.#frames.push(bytes, fds, descriptors)) this.#receiver?.frame(frame);
    const broken = this.#frames.broken;
    if (broken === null || was !== null) return;
    this.#intake.hold();
    this.#receiver?.broken(broken);
  }

  #end(error: Error | null): void {
    for (const fd of this.#frames.drop()) this.#closeFd(fd);
    this.#state = this.#state === "open" ? "closing" : this.#state;
    const receiver = this.#receiver;
    this.#receiver = null;
    if (!this.#socket.destroyed) this.#socket.destroy();
    this.#drained.wake();
    receiver?.ended(error);
  }
}
