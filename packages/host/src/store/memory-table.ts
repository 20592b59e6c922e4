/** A table that ends with its owner: for hosts that keep nothing, and for tests, which can hand one from host to host. */
import type { Table, TableEdit } from "./table.js";

export class MemoryTable implements Table {
  readonly where = "memory";
  readonly #texts: Map<string, string>;

  constructor(texts: Iterable<readonly [string, string]> = []) {
    this.#texts = new Map(texts);
  }

  async open(): Promise<void> {}

  async *entries(): AsyncIterable<readonly [string, string]> {
    yield* this.#texts;
  }

  async get(key: string): Promise<string | undefined> {
    return this.#texts.get(key);
  }

  async write(edits: readonly TableEdit[]): Promise<void> {
    for (const { key, text } of edits) {
      if (text === null) this.#texts.delete(key);
      else this.#texts.set(key, text);
    }
  }

  async close(): Promise<void> {}
}
