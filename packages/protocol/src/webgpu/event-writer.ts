/** The engine's end of the way back: events are put together here and go into the ring when they fit. */
import type { RingWriter } from "../carrier/port.js";
import type { HandleSource } from "./handle.js";
import { MAX_COMPILATION_MESSAGES, MAX_DATA_CHUNK, MAX_EVENT_TEXT } from "./limits.js";
import { RecordBuilder } from "./record-builder.js";

const noHandles: HandleSource = {
  handle: () => 0,
  nullableHandle: () => 0,
  kindOf: () => 0,
  textureFormat: () => 0,
};

export class EventWriter {
  /** The event that is being put together; `encodeEvent…` functions fill it. */
  readonly record = new RecordBuilder();
  readonly #tx: RingWriter;
  readonly #mostText: number;

  constructor(tx: RingWriter) {
    this.#tx = tx;
    // Two texts and the fixed part must fit: a code unit takes up to three bytes.
    this.#mostText = Math.min(MAX_EVENT_TEXT, Math.floor((tx.maxRecord - 64) / 6));
  }

  /** Data of one `mapData` event, in bytes, a multiple of 8. */
  get maxData(): number {
    return Math.min(MAX_DATA_CHUNK, (this.#tx.maxRecord - 64) & ~7);
  }

  text(value: string): void {
    this.record.text(value.length > this.#mostText ? `${value.slice(0, this.#mostText - 1)}…` : value);
  }

  /** A sequence of dictionaries, cut where the record would become too large. */
  list<T>(elements: readonly T[], encode: (source: HandleSource, s: RecordBuilder, value: T) => void): void {
    const { record } = this;
    const at = record.beginCount();
    let count = 0;
    for (const element of elements.slice(0, MAX_COMPILATION_MESSAGES)) {
      const before = record.at;
      encode(noHandles, record, element);
      if (record.at * 4 + 8 > this.#tx.maxRecord) {
        record.at = before;
        break;
      }
      count += 1;
    }
    record.endCount(at, count);
  }

  /** @returns false when there is no room now */
  send(): boolean {
    const { record } = this;
    const bytes = record.finish();
    const tx = this.#tx;
    const i = tx.tryBegin(bytes);
    if (i < 0) return false;
    tx.u32.set(record.u32.subarray(0, bytes >> 2), i);
    record.trim();
    return true;
  }

  /** As `send`, with data behind it that is copied once. @param data at most `maxData` bytes */
  sendWithData(data: Uint8Array): boolean {
    const { record } = this;
    record.word(data.length);
    const head = record.finish();
    const bytes = head + ((data.length + 7) & ~7);
    record.u32[0] = bytes;
    const tx = this.#tx;
    const i = tx.tryBegin(bytes);
    if (i < 0) return false;
    tx.u32.set(record.u32.subarray(0, head >> 2), i);
    tx.u8.set(data, i * 4 + head);
    tx.u8.fill(0, i * 4 + head + data.length, i * 4 + bytes);
    return true;
  }
}
