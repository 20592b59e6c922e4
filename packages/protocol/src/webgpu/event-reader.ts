/** The client's end of the way back. */
import type { RingReader } from "../carrier/port.js";
import { Cursor } from "./cursor.js";
import { type EventHandlers, readEvent } from "./generated/events.js";
import { ObjectTable } from "./object-table.js";
import { RecordViews } from "./record-views.js";

export class EventReader {
  readonly #rx: RingReader;
  readonly #views: RecordViews;
  readonly #cursor: Cursor;

  constructor(rx: RingReader) {
    this.#rx = rx;
    this.#views = new RecordViews(rx.u8.buffer, rx.u8.byteOffset, rx.u8.byteLength);
    this.#cursor = new Cursor(this.#views, new ObjectTable());
  }

  /**
   * Calls a handler for each published event, at most `maxRecords`.
   * @returns how many there were
   * @throws ProtocolError: close the port
   */
  read(handlers: EventHandlers, maxRecords = Number.POSITIVE_INFINITY): number {
    let count = 0;
    while (count < maxRecords) {
      const i = this.#rx.next();
      if (i < 0) break;
      count += 1;
      const words = this.#rx.recordBytes >> 2;
      readEvent(
        handlers,
        this.#views.u32[i + 1]! & 0xffff,
        this.#cursor.start(this.#views, i + 2, i + words),
      );
      this.#rx.done();
    }
    return count;
  }
}
