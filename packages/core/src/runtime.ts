/**
 * What the model takes from outside: scheduling, time, identity, chance, a place to log to. One bundle, handed to
 * whoever needs it, so that a run is determined by the bundle alone.
 */
import { type Clock, systemClock } from "./clock.js";
import type { LogLevel, LogSink } from "./log.js";
import { DirectScheduler } from "./sync/direct-scheduler.js";
import type { Scheduler } from "./sync/scheduler.js";

export interface Ids {
  /** The next number of a kind, from 1, never reused. */
  next(kind: string): number;
  /** A fresh RFC 4122 UUID, lower case. */
  uuid(): string;
}

export interface Random {
  /** Uniform over 0 … 2^32 - 1. */
  uint32(): number;
}

export interface Runtime {
  readonly scheduler: Scheduler;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly random: Random;
  /** How long a wait lasts, in ms, when its caller names no deadline. */
  readonly patienceMs: number;
  log(level: LogLevel, event: string, fields: Readonly<Record<string, unknown>>): void;
}

/** A wait without end: only for teardown whose caller is bounded elsewhere, and for loops that their owner stops. */
export const noDeadline = Number.POSITIVE_INFINITY;

/** A bound on a call. Without one the runtime's patience counts from the moment of the call. */
export interface WaitOptions {
  /** In ms on the runtime's clock. */
  readonly deadline?: number;
}

export function deadlineOf(runtime: Runtime, options: WaitOptions | undefined): number {
  return options?.deadline ?? runtime.clock.now() + runtime.patienceMs;
}

export interface RuntimeInit {
  readonly scheduler?: Scheduler;
  readonly clock?: Clock;
  readonly ids?: Ids;
  readonly random?: Random;
  readonly log?: LogSink;
  /** Default 30 000 ms. */
  readonly patienceMs?: number;
}

/** A runtime on the platform's own timers and random numbers, with the given parts replaced. Quiet without `log`. */
export function createRuntime(init: RuntimeInit = {}): Runtime {
  const clock = init.clock ?? systemClock;
  const log: Runtime["log"] = (level, event, fields) => init.log?.({ level, event, fields });
  return {
    clock,
    scheduler:
      init.scheduler ??
      new DirectScheduler(clock, (task, error) => log("error", "task.failed", { task, error })),
    ids: init.ids ?? createIds(),
    random: init.random ?? { uint32: () => crypto.getRandomValues(new Uint32Array(1))[0] as number },
    patienceMs: init.patienceMs ?? 30_000,
    log,
  };
}

function createIds(): Ids {
  const last = new Map<string, number>();
  return {
    next(kind) {
      const id = (last.get(kind) ?? 0) + 1;
      last.set(kind, id);
      return id;
    },
    uuid: () => crypto.randomUUID(),
  };
}
