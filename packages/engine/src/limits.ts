/**
 * What one engine holds at most, whatever its applications ask for. A slice's own quotas are smaller and are the
 * host's; these keep the process alive should the host ask for nonsense or an application flood its queue.
 */
export interface EngineLimits {
  /** Devices alive or being made. */
  readonly devices: number;
  /** Connections that have not shown a token yet; beyond that the oldest is dropped. As many as devices, which may all begin at once. */
  readonly handshakes: number;
  /** `mapAsync` requests of one queue whose data has not been sent entirely. */
  readonly mapsInFlight: number;
  /** Replies and errors of one queue that wait for room in its ring; uncaptured errors beyond half of it are dropped. */
  readonly eventsWaiting: number;
  /** Submits of one queue that the GPU has not finished; the queue is not read further until it has. */
  readonly submitsInFlight: number;
  /** Callers of `waitFence` on one queue. */
  readonly fenceWaiters: number;
  /** Records replayed of one queue before the next one has its turn. */
  readonly turnRecords: number;
  /** Milliseconds after which a queue's turn ends, checked every `turnStride` records. */
  readonly turnMs: number;
  readonly turnStride: number;
  /** Bytes of buffers and textures dropped by applications, yet not collected, that make a collection worthwhile. */
  readonly droppedBytes: number;
  /** Objects dropped likewise: each holds some memory outside of the JavaScript heap, where the collector does not see it. */
  readonly droppedObjects: number;
  /** Milliseconds between telling that a device is lost whose work does not end, and closing its queue. */
  readonly lossMs: number;
  /** Milliseconds that a command waits at most, each time, for memory to become free. */
  readonly reclaimMs: number;
  /** Milliseconds that a destroyed device has to say that it is lost before its queue is closed regardless. */
  readonly farewellMs: number;
}

export const defaultLimits: EngineLimits = {
  devices: 1024,
  handshakes: 1024,
  mapsInFlight: 4096,
  eventsWaiting: 65_536,
  submitsInFlight: 1024,
  fenceWaiters: 4096,
  turnRecords: 8192,
  turnMs: 2,
  turnStride: 256,
  droppedBytes: 256 * 2 ** 20,
  droppedObjects: 50_000,
  lossMs: 20,
  reclaimMs: 10_000,
  farewellMs: 1000,
};

/** `sockaddr_un.sun_path` holds 108 bytes with its terminating zero. */
export const MAX_SOCKET_PATH_BYTES = 107;
/** Longest message that goes into an event or to the host, in UTF-16 code units; compiler messages can be huge. */
export const MAX_MESSAGE = 16 * 1024;

export function shorten(message: string): string {
  return message.length <= MAX_MESSAGE ? message : `${message.slice(0, MAX_MESSAGE - 1)}…`;
}
