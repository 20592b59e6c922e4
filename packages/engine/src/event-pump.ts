/**
 * Dawn's Node binding asks for the event loop's next turn, again and again, as long as any GPU promise is pending: a whole
 * processor goes into asking, and on a software GPU that is a processor which should compute. It asks through the global
 * `setImmediate`, so this process gives it one that asks eagerly while an answer may be near, and then ever more
 * rarely. Everything else in the engine uses the `setImmediate` of node:timers, which stays as it is.
 */
import { setImmediate as nextTurn } from "node:timers";

/**
 * What an application's commands lead to within this time is answered without any delay, in ms. Long enough for ten thousand small
 * dispatches on a software GPU: its threads hand over to each other faster while a processor is kept awake.
 */
const EAGER_MS = 64;
/** Until then the thread naps between turns: sockets wait as long. */
const NAPPING_MS = 100;
const NAP_MS = 0.1;
/** After that a timer's tick (1 ms, the shortest there is) lies between two turns. */
const TICK_MS = 1;

export interface EventPumpRuntime {
  /** In ms. */
  now(): number;
  nextTurn(ask: () => void): void;
  afterTick(ms: number, ask: () => void): void;
  /** Blocks the thread. */
  nap(ms: number): void;
}

export class EventPump {
  readonly #runtime: EventPumpRuntime;
  #stirred: number;

  constructor(runtime: EventPumpRuntime) {
    this.#runtime = runtime;
    this.#stirred = runtime.now();
  }

  /** Commands arrived: the next answer may be near. */
  stir(): void {
    this.#stirred = this.#runtime.now();
  }

  /** Dawn wants to be asked again. */
  request(ask: () => void): void {
    const quiet = this.#runtime.now() - this.#stirred;
    if (quiet < EAGER_MS) this.#runtime.nextTurn(ask);
    else if (quiet < NAPPING_MS) {
      this.#runtime.nextTurn(() => {
        this.#runtime.nap(NAP_MS);
        ask();
      });
    } else this.#runtime.afterTick(TICK_MS, ask);
  }

  /** Puts this pump in the place of `scope.setImmediate`. Before Dawn starts, once in a process that is the engine's own. */
  install(scope: object): void {
    Object.defineProperty(scope, "setImmediate", {
      value: (ask: () => void) => this.request(ask),
      configurable: true,
      writable: true,
    });
  }
}

export function processPumpRuntime(): EventPumpRuntime {
  const never = new Int32Array(new SharedArrayBuffer(4));
  return {
    now: () => performance.now(),
    nextTurn: (ask) => void nextTurn(ask),
    afterTick: (ms, ask) => void setTimeout(ask, ms),
    nap: (ms) => void Atomics.wait(never, 0, 0, ms),
  };
}
