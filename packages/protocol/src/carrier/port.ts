/**
 * One end of a hardware queue, whatever carries it. The client encodes records straight into `tx`, the engine decodes
 * them in place out of its `rx`; the three carriers differ only in what the memory is and how the other end is woken.
 *
 * A record: word 0 = size in bytes (header included, multiple of 8), word 1 = opcode | aux << 16.
 */

/** The same ring memory seen at four widths; index with word, byte or double-word positions as `begin`/`next` give them. */
export interface RingViews {
  readonly u8: Uint8Array;
  readonly u32: Uint32Array;
  readonly i32: Int32Array;
  readonly f32: Float32Array;
  readonly f64: Float64Array;
  /** Bytes in the ring, a power of two. */
  readonly capacity: number;
  /** The largest record in bytes: never more than a quarter of the capacity. */
  readonly maxRecord: number;
}

export interface RingWriter extends RingViews {
  /**
   * Reserves a record of `bytes` (multiple of 8, at most `maxRecord`) and returns the word index where it starts, or -1
   * when there is no room now, or the port is closed. The caller fills in all of it, header included, before the next call on
   * this writer; what is complete may be published then, without `flush`, once there is much of it.
   * Throws RangeError for a size that is no record's.
   */
  tryBegin(bytes: number): number;
  /**
   * As `tryBegin`, but waits, blocking this thread, until there is room. Throws PortClosedError when the port is or gets closed,
   * PortStalledError `stalled` when the other end made no progress for the port's stall deadline, and `cannot-wait` where waiting
   * could never end: in process, where the reader's listener is run on the spot, when that listener is what called, or takes nothing; on
   * a socket that can't be driven while the thread waits (TLS). After a PortStalledError the port is as it was.
   */
  begin(bytes: number): number;
  /** Publishes all records begun so far and rings the doorbell if the reader sleeps. Cheap when there is nothing new. */
  flush(): void;
  /** Bytes reserved and not published yet. */
  readonly unpublished: number;
}

export interface RingReader extends RingViews {
  /**
   * The word index of the next published record, or -1. Padding is skipped. Throws ProtocolError when the header is
   * impossible (size < 8, not a multiple of 8, beyond what was published); the port is closed then. The record's memory stays the reader's until `done`.
   * In shared memory the other end may still scribble on it: read each field once.
   */
  next(): number;
  /** Size in bytes of the record that `next` returned last (validated; do not read word 0 again). */
  readonly recordBytes: number;
  /** Gives the record's memory back to the writer (published lazily, at the latest when `next` returns -1). */
  done(): void;
}

export type PortState = "open" | "closed";
export type CarrierKind = "in-process" | "stream" | "shared-memory";

export interface Port {
  readonly carrier: CarrierKind;
  readonly state: PortState;
  readonly tx: RingWriter;
  readonly rx: RingReader;
  /**
   * Called, never re-entrantly, when records may have arrived after `rx.next()` had returned -1, and once after it is set. Who
   * stops reading before -1 goes on by himself. A ProtocolError that the listener lets through closes the port. Set once, before traffic.
   */
  onReadable(listener: () => void): void;
  /** Called, from the event loop, when room may have appeared after `tryBegin` had returned -1. Set once. */
  onWritable(listener: () => void): void;
  /**
   * Called exactly once, from the event loop, also when already closed. The reason is what `close` was given here, or a PortClosedError
   * whose code says why. When the other end closed, `onReadable` is called for what it had published, before this. Views that are
   * kept longer read zeros or what was there last, and what is written to them goes nowhere.
   */
  onClose(listener: (reason: Error) => void): void;
  /**
   * As if the doorbell had rung: what has arrived is noticed now, and `onReadable` called for it, from the event loop.
   * @returns bytes that are published and that the reader has not given back, padding included; 0 when the port is closed
   */
  look(): number;
  /** A reply is awaited: the port may poll briefly before it sleeps. */
  expectReply(): void;
  /** While ref'ed an open port keeps the process alive; ports start unref'ed. */
  ref(): void;
  unref(): void;
  /** What was published before still reaches the other end. Idempotent. */
  close(reason?: Error): void;
}
