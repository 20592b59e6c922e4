/**
 * Says when a descriptor can be read. Node tells that only of sockets that it reads itself, and what it reads it takes without the
 * descriptors that were sent along; so a thread waits in poll(2), and nothing but "now" comes from it.
 */
import { Worker } from "node:worker_threads";
import type { Libc } from "./libc.js";

/** The one shared word: whose turn it is. */
export const Turn = { POLL: 0, LOOK: 1, QUIT: 2 } as const;

/** What the thread gets. */
export interface WatcherData {
  readonly fd: number;
  readonly turn: Int32Array;
}

export class Watcher {
  readonly #turn = new Int32Array(new SharedArrayBuffer(4));
  readonly #worker: Worker;
  readonly #gone: Promise<void>;

  /**
   * @param fd stays the caller's, and may be closed before this is
   * @param readable called once; again after each `again`
   * @param failed the thread can't be had, or ended by itself: nothing is told any more
   */
  constructor(libc: Libc, fd: number, readable: () => void, failed: (error: Error) => void) {
    const copy = libc.duplicate(fd);
    const workerData: WatcherData = { fd: copy, turn: this.#turn };
    try {
      this.#worker = new Worker(new URL("./watcher.worker.js", import.meta.url), { workerData });
    } catch (error) {
      libc.close(copy);
      throw error;
    }
    this.#gone = new Promise((resolve) => {
      this.#worker.once("exit", () => {
        libc.close(copy);
        if (Atomics.load(this.#turn, 0) !== Turn.QUIT)
          failed(new Error("the thread that waits for a socket ended"));
        resolve();
      });
    });
    this.#worker.on("error", (error) => failed(error instanceof Error ? error : new Error(String(error))));
    this.#worker.on("message", () => {
      if (Atomics.load(this.#turn, 0) === Turn.LOOK) readable();
    });
  }

  /** Everything that was there has been read: waits for more. */
  again(): void {
    if (Atomics.compareExchange(this.#turn, 0, Turn.LOOK, Turn.POLL) === Turn.LOOK)
      Atomics.notify(this.#turn, 0);
  }

  /** Ends the thread, which takes as long as its poll does: shut the socket down before. Settles when it is gone. */
  close(): Promise<void> {
    Atomics.store(this.#turn, 0, Turn.QUIT);
    Atomics.notify(this.#turn, 0);
    return this.#gone;
  }
}
