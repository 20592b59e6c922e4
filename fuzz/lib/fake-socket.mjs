/** A socket without a system behind it: what the other end sends is handed over, what is written is counted. */
import { EventEmitter } from "node:events";

export class FakeSocket extends EventEmitter {
  destroyed = false;
  writable = true;
  writableNeedDrain = false;
  writableLength = 0;
  readableLength = 0;
  remoteAddress = undefined;
  written = 0;
  #waiting = [];
  #flowing = false;
  #ended = false;
  #stuckAfter;

  /** @param stuckAfter bytes after which the other end reads nothing more */
  constructor(stuckAfter = Number.POSITIVE_INFINITY) {
    super();
    this.setMaxListeners(0);
    this.#stuckAfter = stuckAfter;
  }

  /** From the other end. */
  arrive(bytes) {
    if (this.destroyed) return;
    if (this.#flowing) this.emit("data", bytes);
    else this.#waiting.push(bytes);
  }

  hangUp() {
    this.#ended = true;
    if (this.#waiting.length === 0 && !this.destroyed) this.emit("end");
  }

  resume() {
    this.#flowing = true;
    while (this.#flowing && this.#waiting.length > 0 && !this.destroyed)
      this.emit("data", this.#waiting.shift());
    if (this.#ended && this.#waiting.length === 0 && !this.destroyed) this.emit("end");
    return this;
  }

  pause() {
    this.#flowing = false;
    return this;
  }

  unshift(bytes) {
    if (bytes.length > 0) this.#waiting.unshift(bytes);
  }

  write(bytes, done) {
    this.written += bytes.length;
    if (this.written > this.#stuckAfter) {
      this.writableLength += bytes.length;
      this.writableNeedDrain = true;
    }
    if (typeof done === "function") done();
    return !this.writableNeedDrain;
  }

  end(last, done) {
    this.writable = false;
    const then = typeof last === "function" ? last : done;
    if (typeof then === "function") then();
    return this;
  }

  destroySoon() {
    this.destroy();
  }

  destroy(error) {
    if (this.destroyed) return this;
    this.destroyed = true;
    this.writable = false;
    this.#waiting.length = 0;
    if (error !== undefined && this.listenerCount("error") > 0) this.emit("error", error);
    this.emit("close");
    return this;
  }

  setNoDelay() {}
  ref() {}
  unref() {}
}

/** Timers that fire only when they are told to: an input takes no time. */
export class FakeClock {
  #timers = new Set();

  now() {
    return 0;
  }

  setTimer(_ms, fire) {
    const timer = { fire, cancel: () => void this.#timers.delete(timer) };
    this.#timers.add(timer);
    return timer;
  }

  get waiting() {
    return this.#timers.size;
  }

  fireAll() {
    for (let round = 0; round < 4; round++) {
      for (const timer of [...this.#timers]) {
        this.#timers.delete(timer);
        timer.fire();
      }
    }
  }
}

/** Lets everything that waits for nothing but its turn happen. */
export async function turns(count = 12) {
  for (let i = 0; i < count; i++) await null;
}
