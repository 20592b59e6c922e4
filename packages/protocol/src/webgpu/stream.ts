/** The client's end of a queue's command stream: what encoders write through. */
import type { RingWriter } from "../carrier/port.js";
import { textureFormatNumber } from "./checks.js";
import { typeError } from "./convert.js";
import { writeFragments } from "./fragment.js";
import { HANDLE, type Handled, type HandleSource, KIND, OWNER } from "./handle.js";
import { RecordBuilder } from "./record-builder.js";

export interface CommandStreamOptions {
  readonly tx: RingWriter;
  /** What `OWNER` of this queue's objects is. */
  readonly owner: object;
  /** The device's. */
  readonly features: ReadonlySet<string>;
  /**
   * Makes an object of another queue known here (writes an `importObject` record) and returns its handle in this one.
   * Called again for the same object: remember what was imported.
   */
  readonly importForeign: (object: Handled) => number;
}

export class CommandStream implements HandleSource {
  readonly tx: RingWriter;
  readonly owner: object;
  readonly #features: ReadonlySet<string>;
  readonly #importForeign: (object: Handled) => number;
  /** One builder for each level of re-entry: a getter of a descriptor may encode another command. */
  readonly #builders: RecordBuilder[] = [];
  #depth = 0;

  constructor(options: CommandStreamOptions) {
    this.tx = options.tx;
    this.owner = options.owner;
    this.#features = options.features;
    this.#importForeign = options.importForeign;
  }

  /** Publishes what was encoded and wakes the engine. */
  flush(): void {
    this.tx.flush();
  }

  handle(value: unknown, kind: number, name: string, what: string): number {
    if (typeof value === "object" && value !== null) {
      const holder = value as Partial<Handled>;
      if (holder[KIND] === kind) {
        const handle = holder[HANDLE];
        if (handle !== undefined) {
          return holder[OWNER] === this.owner ? handle : this.#importForeign(holder as Handled);
        }
      }
    }
    throw typeError(what, `the value is not a ${name}`);
  }

  nullableHandle(value: unknown, kind: number, name: string, what: string): number {
    return value === null || value === undefined ? 0 : this.handle(value, kind, name, what);
  }

  kindOf(value: unknown): number {
    if (typeof value !== "object" || value === null) return 0;
    return (value as Partial<Handled>)[KIND] ?? 0;
  }

  textureFormat(value: unknown, what: string): number {
    return textureFormatNumber(value, this.#features, what);
  }

  /** A builder for one record; give it back with `close` whatever happens. */
  open(opcode: number, aux = 0): RecordBuilder {
    let builder = this.#builders[this.#depth];
    if (builder === undefined) {
      builder = new RecordBuilder();
      this.#builders.push(builder);
    }
    this.#depth += 1;
    builder.start(opcode, aux);
    return builder;
  }

  /** Copies the finished record into the ring, in fragments when it is larger than a record may be. */
  commit(builder: RecordBuilder): void {
    const bytes = builder.finish();
    const { tx } = this;
    if (bytes > tx.maxRecord) writeFragments(tx, [builder.u8.subarray(0, bytes)]);
    else copyWords(tx, tx.begin(bytes), builder, bytes >> 2);
  }

  /** As `commit`, with data at the record's end that is copied once, straight into the ring. */
  commitWithData(builder: RecordBuilder, data: Uint8Array): void {
    builder.word(data.length);
    const head = builder.finish();
    const bytes = head + ((data.length + 7) & ~7);
    builder.u32[0] = bytes;
    const { tx } = this;
    if (bytes > tx.maxRecord) {
      writeFragments(tx, [builder.u8.subarray(0, head), data, new Uint8Array(bytes - head - data.length)]);
      return;
    }
    const i = tx.begin(bytes);
    copyWords(tx, i, builder, head >> 2);
    const start = i * 4 + head;
    tx.u8.set(data, start);
    for (let at = start + data.length; at < i * 4 + bytes; at += 1) tx.u8[at] = 0;
  }

  close(builder: RecordBuilder): void {
    this.#depth -= 1;
    builder.trim();
  }
}

function copyWords(tx: RingWriter, i: number, builder: RecordBuilder, words: number): void {
  const { u32 } = tx;
  const source = builder.u32;
  if (words > 64) u32.set(source.subarray(0, words), i);
  else for (let word = 0; word < words; word += 1) u32[i + word] = source[word]!;
}
