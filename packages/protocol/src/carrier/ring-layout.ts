/**
 * How a ring lies in memory: 256 bytes of control words, each on a cache line of its own, and the data. Positions are free-running
 * byte counts modulo 2^32; the difference of two is what counts, so that full and empty need no extra flag.
 */
export const CONTROL_BYTES = 256;

/** Indexes of 32-bit words in the control block. */
export const HEAD = 0; // written by the writer: everything before it is published
export const WRITER_WAITS = 16; // set by the writer, cleared by the reader: ring when the tail moves
export const TAIL = 32; // written by the reader: everything before it is the writer's again
export const READER_SLEEPS = 48; // set by the reader, cleared by the writer: ring when the head moves

export const MIN_RING_BYTES = 4096;
/** Between processes rings are at least this large, so that either end may count on records of 16 KiB. */
export const MIN_QUEUE_RING_BYTES = 64 * 1024;
/** Positions have 32 bits; a quarter of that keeps every comparison of them clear. */
export const MAX_RING_BYTES = 2 ** 30;

/** Sizes of a queue's two rings in bytes, powers of two in MIN_RING_BYTES…MAX_RING_BYTES. */
export interface QueueGeometry {
  /** client → engine */
  readonly toEngine: number;
  /** engine → client */
  readonly toClient: number;
}

const MiB = 1024 * 1024;

export const inProcessGeometry: QueueGeometry = { toEngine: 8 * MiB, toClient: 8 * MiB };
export const streamGeometry: QueueGeometry = { toEngine: 8 * MiB, toClient: 8 * MiB };
export const sharedMemoryGeometry: QueueGeometry = { toEngine: 32 * MiB, toClient: 16 * MiB };

export function isRingSize(bytes: number, least = MIN_RING_BYTES): boolean {
  return Number.isInteger(bytes) && bytes >= least && bytes <= MAX_RING_BYTES && (bytes & (bytes - 1)) === 0;
}

/** @throws RangeError naming the field and the limits */
export function checkGeometry(geometry: QueueGeometry, least = MIN_RING_BYTES): QueueGeometry {
  for (const field of ["toEngine", "toClient"] as const) {
    if (!isRingSize(geometry[field], least))
      throw new RangeError(
        `geometry.${field} is ${geometry[field]}: a ring is a power of two from ${least} to ${MAX_RING_BYTES} bytes`,
      );
  }
  return geometry;
}

/** Where one ring is: its control words and its data, in whatever memory the carrier has. */
export interface RingMemory {
  readonly control: Int32Array;
  readonly buffer: ArrayBufferLike;
  readonly offset: number;
  readonly capacity: number;
}

/** @param bytes a valid ring size; the memory is this process's own, zeroed */
export function allocateRing(bytes: number): RingMemory {
  const buffer = new ArrayBuffer(CONTROL_BYTES + bytes);
  return {
    control: new Int32Array(buffer, 0, CONTROL_BYTES / 4),
    buffer,
    offset: CONTROL_BYTES,
    capacity: bytes,
  };
}
