/**
 * What a console prints, on its way to a terminal that may be slow, or not there yet. It never waits: a machine does not
 * stand still because nobody looks. What is not taken is kept up to a limit, the newest of it.
 */
import type { Duplex } from "node:stream";

/** In bytes. */
export const keptLimit = 65_536;

export class Paper {
  #terminal: Duplex | null = null;
  #kept: Uint8Array[] = [];
  #keptBytes = 0;

  /** From now on it is printed there, first of all what was kept. Null: nowhere. */
  feed(terminal: Duplex | null): void {
    this.#terminal = terminal;
    if (terminal === null) return;
    terminal.on("drain", () => {
      if (this.#terminal === terminal) this.#flush(terminal);
    });
    this.#flush(terminal);
  }

  print(text: string): void {
    const part = Buffer.from(text.replaceAll("\n", "\r\n")).subarray(-keptLimit);
    this.#kept.push(part);
    this.#keptBytes += part.length;
    if (this.#terminal !== null) this.#flush(this.#terminal);
    while (this.#keptBytes > keptLimit) this.#keptBytes -= this.#kept.shift()?.length ?? 0;
  }

  #flush(terminal: Duplex): void {
    while (this.#kept.length > 0 && terminal.writable && !terminal.writableNeedDrain) {
      const part = this.#kept.shift() as Uint8Array;
      this.#keptBytes -= part.length;
      terminal.write(part);
    }
  }
}
