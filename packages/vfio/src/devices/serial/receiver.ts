/**
 * The receiving half of a 16550: a buffer of one character, or a FIFO of sixteen. What is wrong with a character shows in the
 * line status when the character has become the next one to be read.
 */
import type { CharacterError } from "./line.js";
import { FIFO_CHARACTERS, Lsr } from "./uart-registers.js";

/** Measures how long nobody has touched the FIFO. */
export interface IdleTimer {
  /** From now on; anew if it runs already. */
  start(): void;
  stop(): void;
}

export interface ReceiverState {
  /** The next first; each with the bits of the line status that it brings. */
  readonly characters: readonly { readonly character: number; readonly errors: number }[];
  /** The bits of the line status that nobody has read. */
  readonly errors: number;
  readonly idle: "waiting" | "expired";
}

interface Received {
  readonly character: number;
  errors: number;
}

const errorBits: Readonly<Record<CharacterError, number>> = {
  parity: Lsr.parity,
  framing: Lsr.framing,
  break: Lsr.break,
};

export class Receiver {
  readonly #timer: IdleTimer;
  #mode: "character" | "fifo" = "character";
  #characters: Received[] = [];
  #errors = 0;
  #idle: "waiting" | "expired" = "waiting";

  constructor(timer: IdleTimer) {
    this.#timer = timer;
  }

  get length(): number {
    return this.#characters.length;
  }

  get room(): number {
    return this.#capacity - this.#characters.length;
  }

  /** Whether the FIFO holds something that nobody has read for a while. */
  get idle(): "waiting" | "expired" {
    return this.#idle;
  }

  /** Those errors that nobody has read. */
  get errors(): number {
    return this.#errors;
  }

  get lineStatus(): number {
    const inFifo = this.#mode === "fifo" && this.#characters.some(({ errors }) => errors !== 0);
    return (this.length > 0 ? Lsr.dataReady : 0) | this.#errors | (inFifo ? Lsr.errorInFifo : 0);
  }

  put(character: number, error?: CharacterError): void {
    const received = { character, errors: error === undefined ? 0 : errorBits[error] };
    if (this.room === 0) {
      this.#errors |= Lsr.overrun;
      // A single buffer is overwritten; what a full FIFO can't take is lost.
      if (this.#mode === "character") {
        this.#characters = [received];
        this.#errors |= received.errors;
      }
    } else {
      this.#characters.push(received);
      if (this.length === 1) this.#errors |= received.errors;
    }
    this.watch();
  }

  /** The next character; zero when there is none. */
  take(): number {
    const [next] = this.#characters;
    this.#characters.shift();
    this.#errors |= this.#characters[0]?.errors ?? 0;
    this.#idle = "waiting";
    this.watch();
    return next?.character ?? 0;
  }

  /** The line status was read. */
  errorsRead(): void {
    this.#errors = 0;
    const [next] = this.#characters;
    if (next !== undefined) next.errors = 0;
  }

  /** Another mode empties it. */
  setMode(mode: "character" | "fifo"): void {
    if (mode === this.#mode) return;
    this.#mode = mode;
    this.clear();
  }

  clear(): void {
    this.#characters = [];
    this.#idle = "waiting";
    this.watch();
  }

  /** The timer has run out. @returns whether that means something now */
  timedOut(): "expired" | "ignored" {
    if (this.#mode !== "fifo" || this.length === 0) return "ignored";
    this.#idle = "expired";
    return "expired";
  }

  get state(): ReceiverState {
    return {
      characters: this.#characters.map((each) => ({ ...each })),
      errors: this.#errors,
      idle: this.#idle,
    };
  }

  restore(mode: "character" | "fifo", { characters, errors, idle }: ReceiverState): void {
    this.#mode = mode;
    this.#characters = characters.slice(0, this.#capacity).map((each) => ({ ...each }));
    this.#errors = errors;
    this.#idle = this.length === 0 ? "waiting" : idle;
    this.watch();
  }

  /** Has the time measured, or not. What has expired stays so until somebody reads. */
  watch(): void {
    if (this.#mode === "fifo" && this.length > 0 && this.#idle === "waiting") this.#timer.start();
    else this.#timer.stop();
  }

  get #capacity(): number {
    return this.#mode === "fifo" ? FIFO_CHARACTERS : 1;
  }
}
