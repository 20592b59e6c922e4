/** How applications reach queues whose engine they can't reach by themselves. */

export interface QueueDoor {
  /** Name of the socket in the run directory. */
  readonly endpoint: string;
  /** Ends the socket and what goes through it. Idempotent. */
  close(): void;
}

/** What CREATEHWQUEUE said of a queue. */
export interface QueueTicket {
  readonly token: string;
  readonly slice: string;
  readonly generation: bigint;
}

export interface Queues {
  /** A way for one connection, which the token of that slice and generation is good for. @throws KernelError EOPNOTSUPP there is none; the operating system's errors */
  open(queue: QueueTicket): Promise<QueueDoor>;
}
