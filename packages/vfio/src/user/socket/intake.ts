/** How bytes come from a client: with the descriptors that were sent along, or, where koffi is not there, without. */
import type { Socket } from "node:net";
import { Letter, type Libc } from "./libc.js";
import { Watcher } from "./watcher.js";

export interface IntakeReceiver {
  /** The descriptors are the receiver's from here on. "lost": these are not all that were sent with the bytes. */
  piece(bytes: Uint8Array, fds: readonly number[], descriptors?: "all" | "lost"): void;
  /** The last call. @param error null: the client hung up */
  ended(error: Error | null): void;
}

export interface Intake {
  /** "none": what a client sends the kernel drops, and nobody notices. */
  readonly descriptors: "passed" | "none";
  start(receiver: IntakeReceiver): void;
  /** Hands on what has come by now, without waiting to be told of it. */
  look(): void;
  /** From here on nothing is handed on, until `resume`. */
  hold(): void;
  resume(): void;
  /** Idempotent. Settles when nothing of it is left. */
  stop(): Promise<void>;
}

/** Node reads the socket. */
export class PlainIntake implements Intake {
  readonly descriptors = "none";
  readonly #socket: Socket;

  /** @param socket paused */
  constructor(socket: Socket) {
    this.#socket = socket;
  }

  start(receiver: IntakeReceiver): void {
    this.#socket.on("data", (bytes: Uint8Array) => receiver.piece(bytes, []));
    this.#socket.once("end", () => receiver.ended(null));
    this.#socket.resume();
  }

  look(): void {}

  hold(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  async stop(): Promise<void> {
    this.#socket.removeAllListeners("data");
    this.#socket.removeAllListeners("end");
    this.#socket.resume();
  }
}

/** A client that sends faster than is taken would else leave nobody else a turn. */
const mostPieces = 32;

type Flow = "reading" | "held" | "ended" | "stopped";

/** recvmsg(2) reads it; Node, which has it paused, writes. */
export class DescriptorIntake implements Intake {
  readonly descriptors = "passed";
  readonly #libc: Libc;
  readonly #socket: Socket;
  readonly #letter: Letter;
  #watcher: Watcher | null = null;
  #receiver: IntakeReceiver | null = null;
  #flow: Flow = "reading";
  /** The watcher has told of something that is not read yet. */
  #told: "nothing" | "readable" = "nothing";

  /** @param socket paused, of which nothing was read, with a descriptor @throws when memory or a thread can't be had */
  constructor(libc: Libc, socket: Socket) {
    this.#libc = libc;
    this.#socket = socket;
    this.#letter = new Letter(libc);
  }

  start(receiver: IntakeReceiver): void {
    this.#receiver = receiver;
    const readable = (): void => {
      this.#told = "readable";
      this.look();
    };
    try {
      const failed = (error: Error): void => this.#end(error);
      this.#watcher = new Watcher(this.#libc, descriptorOf(this.#socket), readable, failed);
    } catch (error) {
      this.#end(error instanceof Error ? error : new Error(String(error)));
    }
  }

  look(): void {
    try {
      for (let pieces = 0; this.#flow === "reading" && this.#takeSome() === "some"; ) {
        pieces += 1;
        if (pieces < mostPieces) continue;
        this.#watchAgain();
        return;
      }
    } catch (error) {
      this.#end(error instanceof Error ? error : new Error(String(error)));
    }
  }

  hold(): void {
    if (this.#flow === "reading") this.#flow = "held";
  }

  resume(): void {
    if (this.#flow !== "held") return;
    this.#flow = "reading";
    this.look();
  }

  async stop(): Promise<void> {
    if (this.#flow !== "stopped") {
      this.#flow = "stopped";
      this.#letter.free();
      const fd = descriptorOf(this.#socket);
      if (fd >= 0) this.#libc.shutDownReading(fd);
    }
    await this.#watcher?.close();
  }

  #takeSome(): "some" | "nothing" {
    const fd = descriptorOf(this.#socket);
    const received = fd < 0 ? "end" : this.#libc.receive(fd, this.#letter);
    if (received === "end") {
      this.#end(null);
      return "nothing";
    }
    if (received === "later") {
      this.#watchAgain();
      return "nothing";
    }
    this.#receiver?.piece(received.bytes, received.fds, received.descriptors);
    return "some";
  }

  /** What is there still, or comes, is told of. */
  #watchAgain(): void {
    if (this.#told === "readable") this.#watcher?.again();
    this.#told = "nothing";
  }

  #end(error: Error | null): void {
    if (this.#flow === "stopped" || this.#flow === "ended") return;
    this.#flow = "ended";
    this.#receiver?.ended(error);
  }
}

/**
 * The file descriptor of a live socket, or -1. Node has no public way to it (`socket._handle.fd` is there for Unix sockets on POSIX
 * systems); it is asked for at each call, so that a number that the kernel gave to somebody else is never touched.
 */
export function descriptorOf(socket: Socket): number {
  if (socket.destroyed) return -1;
  const { _handle: handle } = socket as unknown as { readonly _handle?: { readonly fd?: unknown } | null };
  const fd = handle?.fd;
  return typeof fd === "number" && Number.isInteger(fd) && fd >= 0 ? fd : -1;
}
