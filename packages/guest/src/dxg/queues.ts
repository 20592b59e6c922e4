/** How applications reach queues whose engine they can't reach by themselves. */

export interface QueueDoor {
  /** Name of the socket in the run directory. */
  readonly endpoint: string;
  /** Ends the socket and what goes through it. Idempotent. */
  close(): void;
}

export interface Queues {
  /** A way for one connection, which the token is good for. @throws KernelError EOPNOTSUPP there is none; the operating system's errors */
  open(token: string): Promise<QueueDoor>;
}
