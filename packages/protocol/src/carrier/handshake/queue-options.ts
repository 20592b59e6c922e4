import type { PollPolicy } from "../mapped-memory/port.js";
import type { SharedMemoryProvider } from "../mapped-memory/provider.js";
import type { QueueGeometry } from "../ring-layout.js";
import type { CarrierRuntime } from "../runtime.js";

/** What both ends of a queue may choose. */
export interface QueueOptions {
  /** From `openSharedMemory`; without it, or where the other end can't, the queue is a stream. */
  readonly sharedMemory?: SharedMemoryProvider | undefined;
  /** How long the handshake may take in all, in milliseconds. Default 10 000. */
  readonly deadlineMs?: number;
  /** How long a blocked `begin` waits without any progress, in milliseconds. Default 30 000. */
  readonly stallMs?: number;
  readonly poll?: PollPolicy;
  readonly runtime?: CarrierRuntime;
}

/** The slice that a queue is made on; generation 0: not said, as by an older host. */
export interface QueueOwner {
  readonly slice: string;
  readonly generation: bigint;
}

export interface ConnectQueueOptions extends QueueOptions {
  /** A Unix socket, or a TCP host and port. */
  readonly endpoint: { readonly path: string } | { readonly host: string; readonly port: number };
  /** 32 lower-case hex digits, from createHwQueue. */
  readonly token: string;
  /** From createHwQueue; the engine refuses the token of another slice or generation. Default: not said. */
  readonly owner?: QueueOwner;
  /** Ring sizes; the engine may choose smaller ones for a stream. Default: 32 and 16 MiB shared, 8 and 8 MiB as a stream. */
  readonly geometry?: QueueGeometry;
}

export interface QueueGrant {
  readonly outcome: "granted";
  /**
   * The largest rings that this queue may have, powers of two of at least 64 KiB. Default: 32 and 16 MiB shared; the rings of a stream are
   * copies and never larger than 8 MiB each.
   */
  readonly limit?: QueueGeometry;
}

export interface QueueRefusal {
  readonly outcome: "refused";
  /** Positive Linux errno. */
  readonly errno: number;
  readonly message: string;
}

export interface AcceptQueueOptions extends QueueOptions {
  /**
   * Decides about a token; it must accept each token once. What it throws refuses the queue with EIO.
   * @param owner whose the client believes the token to be; generation 0: it does not say
   */
  authorize(token: string, owner: QueueOwner): QueueGrant | QueueRefusal | Promise<QueueGrant | QueueRefusal>;
}

export const defaultDeadlineMs = 10_000;
export const defaultStallMs = 30_000;
