/** How far long work is, on one line of standard error, where people watch. */
import type { Terminal } from "../terminal.js";

export interface Progress {
  /** Says so when another percent is done. */
  at(done: number): void;
}

export function progressOf(terminal: Terminal, what: string, all: number): Progress {
  let shown = -1;
  return {
    at(done) {
      if (!terminal.watched || all === 0) return;
      const percent = Math.floor((done / all) * 10) * 10;
      if (percent === shown) return;
      shown = percent;
      terminal.err(`${what}: ${percent} % of ${all}`);
    },
  };
}
