/**
 * Listens to eventfds of strangers: one thread for all of them, which waits for an epoll(7) instance. What was signalled is taken by a
 * read that can't wait (RWF_NOWAIT), because who has the eventfd may be quicker.
 */
import { writeSync } from "node:fs";
import type { Libc, Memory } from "./libc.js";
import { Watcher } from "./watcher.js";

/** EPOLLIN; and EPOLL_CTL_ADD, EPOLL_CTL_DEL. */
const readable = 1;
const add = 1;
const remove = 2;

/** struct epoll_event is packed on x86-64 alone. */
const eventBytes = process.arch === "x64" ? 12 : 16;
const eventDataAt = process.arch === "x64" ? 4 : 8;
/** Where in the memory: a struct epoll_event to be told, struct iovec, what is read, and the events that came. */
const vectorAt = 64;
const valueAt = 128;
const eventsAt = 256;
/** More are taken the next time. */
const mostEvents = 32;
const memoryBytes = eventsAt + mostEvents * 16;

const one = Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0);

export class EventfdWatch {
  readonly #libc: Libc;
  readonly #memory: Memory;
  readonly #epoll: number;
  /** Of its own: wakes the thread. */
  readonly #bell: number;
  readonly #watcher: Watcher;
  readonly #failed: (error: Error) => void;
  readonly #heard = new Map<number, () => void>();
  /** "closing": the thread is not gone yet. */
  #state: "open" | "closing" | "closed" = "open";

  /**
   * @param failed one eventfd, or none any more, is heard
   * @throws where the kernel is older than 5.8, or has no memory, descriptor or thread left
   */
  constructor(libc: Libc, failed: (error: Error) => void) {
    this.#libc = libc;
    this.#failed = failed;
    this.#memory = libc.allocate(memoryBytes);
    const opened: number[] = [];
    const keep = (fd: number): number => {
      opened.push(fd);
      return fd;
    };
    try {
      this.#bell = keep(libc.eventfd());
      this.#epoll = keep(libc.epollCreate());
      if (this.#take(this.#bell) === "impossible") throw new Error("reads that do not wait need Linux 5.8");
      this.#control(add, this.#bell);
      this.#watcher = new Watcher(libc, this.#epoll, () => this.#look(), failed);
    } catch (error) {
      for (const fd of opened) libc.close(fd);
      this.#memory.free();
      throw error;
    }
  }

  /**
   * Calls `heard` whenever `fd` was signalled, what was before included.
   * @param fd an eventfd, open until this is ended
   * @returns ends it. Idempotent
   */
  listen(fd: number, heard: () => void): () => void {
    if (this.#state !== "open") return () => undefined;
    try {
      this.#control(add, fd);
    } catch (error) {
      this.#failed(error instanceof Error ? error : new Error(String(error)));
      return () => undefined;
    }
    this.#heard.set(fd, heard);
    return () => {
      if (this.#heard.get(fd) !== heard) return;
      this.#heard.delete(fd);
      // The file stays in the epoll instance as long as anybody has it open.
      if (this.#state === "open") this.#control(remove, fd);
    };
  }

  /** Settles when nothing of it is left. */
  async close(): Promise<void> {
    if (this.#state === "open") {
      this.#state = "closing";
      this.#heard.clear();
      writeSync(this.#bell, one);
    }
    await this.#watcher.close();
    // Somebody else may have waited as well.
    if (this.#isClosed) return;
    this.#state = "closed";
    for (const fd of [this.#bell, this.#epoll]) this.#libc.close(fd);
    this.#memory.free();
  }

  get #isClosed(): boolean {
    return this.#state === "closed";
  }

  #look(): void {
    if (this.#state !== "open") return;
    const { view, at } = this.#memory;
    const count = this.#libc.epollTake(this.#epoll, at + BigInt(eventsAt), mostEvents);
    const signalled: number[] = [];
    for (let i = 0; i < count; i++)
      signalled.push(view.getInt32(eventsAt + i * eventBytes + eventDataAt, true));
    for (const fd of signalled) {
      const heard = this.#heard.get(fd);
      if (heard !== undefined && this.#take(fd) === "signalled") heard();
    }
    this.#watcher.again();
  }

  #take(fd: number): "signalled" | "silent" | "impossible" {
    const { view, at } = this.#memory;
    view.setBigUint64(vectorAt, at + BigInt(valueAt), true);
    view.setBigUint64(vectorAt + 8, 8n, true);
    const read = this.#libc.readNow(fd, at + BigInt(vectorAt));
    if (read === "unsupported") return "impossible";
    return read > 0 ? "signalled" : "silent";
  }

  #control(operation: number, fd: number): void {
    const { view, at } = this.#memory;
    view.setUint32(0, readable, true);
    view.setBigUint64(eventDataAt, BigInt(fd), true);
    this.#libc.epollControl(this.#epoll, operation, fd, at);
  }
}
