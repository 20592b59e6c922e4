/** A clock that moves when the test says so, and a runtime on it: what is due runs in the order in which it is due. */
import { type Clock, createRuntime, type LogRecord, type Runtime } from "parhelion-core";

interface Due {
  readonly at: number;
  readonly fire: () => void;
}

export class SimulatedTime {
  readonly clock: Clock;
  readonly runtime: Runtime;
  readonly logged: LogRecord[] = [];
  #now = 0;
  #due: Due[] = [];

  constructor() {
    this.clock = {
      now: () => this.#now,
      setTimer: (ms, fire) => {
        const due = { at: this.#now + Math.max(0, ms), fire };
        this.#due.push(due);
        return {
          cancel: () => {
            this.#due = this.#due.filter((each) => each !== due);
          },
        };
      },
    };
    this.runtime = createRuntime({ clock: this.clock, log: (record) => this.logged.push(record) });
  }

  /** Timers that are armed. */
  get armed(): number {
    return this.#due.length;
  }

  /** The names of what was logged, each time since the last call. */
  events(): string[] {
    return this.logged.splice(0).map(({ event }) => event);
  }

  /** Lets `ms` pass, and everything that follows from it happen. */
  async advance(ms: number): Promise<void> {
    const until = this.#now + ms;
    await settle();
    for (;;) {
      let next: Due | undefined;
      for (const due of this.#due)
        if (due.at <= until && (next === undefined || due.at < next.at)) next = due;
      if (next === undefined) break;
      this.#due = this.#due.filter((each) => each !== next);
      this.#now = Math.max(this.#now, next.at);
      next.fire();
      await settle();
    }
    this.#now = until;
  }
}

/** All microtasks, and those that they bring. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
