// What the main job tells while it works: on stderr, so that its results can be piped on.
import { performance } from "node:perf_hooks";

export class Progress {
  #start = performance.now();
  #repeated = new Set();

  get seconds() {
    return (performance.now() - this.#start) / 1000;
  }

  tell(text) {
    console.error(`${this.seconds.toFixed(0).padStart(4)} s  ${text}`);
  }

  /** What programs say on stderr, each line once: several guests may have the same to say. */
  repeat(text) {
    for (const line of text.split("\n")) {
      if (line.trim() === "" || this.#repeated.has(line)) continue;
      this.#repeated.add(line);
      console.error(`        ${line}`);
    }
  }
}
