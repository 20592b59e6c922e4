/**
 * The sending half of a 16550: a holding register or a FIFO, and the shift register that a character leaves through. There is no
 * bit clock: a character leaves as soon as the line takes it, whatever the divisor says.
 */
import { FIFO_CHARACTERS, Lsr } from "./uart-registers.js";

export interface TransmitterState {
  /** The next first. */
  readonly holding: readonly number[];
  readonly shifting: number | null;
  /** Whether the transmitter has become empty and nobody has asked why it interrupts. */
  readonly emptied: "untold" | "told";
}

export class Transmitter {
  readonly #send: (character: number) => "sent" | "busy";
  #mode: "character" | "fifo" = "character";
  #holding: number[] = [];
  #shifting: number | null = null;
  #emptied: "untold" | "told" = "told";
  #draining: "no" | "yes" = "no";

  constructor(send: (character: number) => "sent" | "busy") {
    this.#send = send;
  }

  get emptied(): "untold" | "told" {
    return this.#emptied;
  }

  get lineStatus(): number {
    if (this.#holding.length > 0) return 0;
    return Lsr.transmitterHoldingEmpty | (this.#shifting === null ? Lsr.transmitterEmpty : 0);
  }

  put(character: number): void {
    this.#emptied = "told";
    if (this.#mode === "character") this.#holding = [character];
    else if (this.#holding.length < FIFO_CHARACTERS) this.#holding.push(character);
    this.drain();
  }

  /** As far as the line takes it. */
  drain(): void {
    // What is sent may come straight back, and be answered.
    if (this.#draining === "yes") return;
    this.#draining = "yes";
    for (;;) {
      if (this.#shifting === null) {
        const next = this.#holding.shift();
        if (next === undefined) break;
        this.#shifting = next;
        if (this.#holding.length === 0) this.#emptied = "untold";
      }
      if (this.#send(this.#shifting) === "busy") break;
      this.#shifting = null;
    }
    this.#draining = "no";
  }

  /** The interrupt was identified. */
  tell(): void {
    this.#emptied = "told";
  }

  /** The interrupt was enabled: it comes at once when there is room. */
  asked(): void {
    this.#emptied = this.#holding.length === 0 ? "untold" : "told";
  }

  setMode(mode: "character" | "fifo"): void {
    if (mode === this.#mode) return;
    this.#mode = mode;
    this.clear();
  }

  /** What the shift register has leaves all the same. */
  clear(): void {
    if (this.#holding.length > 0) this.#emptied = "untold";
    this.#holding = [];
  }

  get state(): TransmitterState {
    return { holding: [...this.#holding], shifting: this.#shifting, emptied: this.#emptied };
  }

  restore(mode: "character" | "fifo", { holding, shifting, emptied }: TransmitterState): void {
    this.#mode = mode;
    this.#holding = holding.slice(0, mode === "fifo" ? FIFO_CHARACTERS : 1);
    this.#shifting = shifting;
    this.#emptied = emptied;
  }
}
