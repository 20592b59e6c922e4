/**
 * How many traces published programs have, for tests and measurements.
 *
 * A trace is a class of complete runs under sequential consistency that differ only by swapping neighbouring steps that don't
 * depend on each other (Mazurkiewicz). Two accesses of a cell depend if one writes; a failing compare-and-swap or try is a read,
 * or where a row says so a write; all takings and givings back of a lock depend. Starting and ending tasks are no steps. Runs
 * that end in a deadlock count.
 */
import type { CellsProgram } from "../define.js";
import { fibonacci, filesystem, indexer, lastZero, pointing } from "./arrays.js";
import {
  adders,
  increments,
  lockedIncrements,
  readers,
  readThenWrite,
  swappers,
  writerAndAdders,
  writerAndReadThenWrite,
  writers,
} from "./counters.js";
import { openAndRemove, probeAndInterrupt } from "./lifecycle.js";
import { litmus, litmusTests } from "./litmus.js";
import {
  lockAndTryLock,
  mutexDeadlock,
  mutexDeadlockOne,
  mutexOrder,
  philosophers,
  tryLockDeadlock,
  tryLockUnlock,
} from "./locks.js";
import { dekker, dekkerFixed, lamport, peterson, szymanski } from "./mutual-exclusion.js";

export interface Row {
  readonly name: string;
  readonly program: () => CellsProgram;
  /** All of them, or of those in which no task waits for ever. */
  readonly traces: number;
  readonly counted?: "all" | "without deadlock";
  /** How many of `traces` are deadlocks; not said: 0, unless those are not counted. */
  readonly deadlocked?: number;
  /** How many have a schedule with at most 0, 1, 2, … preemptions; the last number holds for all larger bounds. */
  readonly bounded?: readonly number[];
  /** Whether something that the program checks does not hold. */
  readonly fails?: boolean;
}

interface Family {
  readonly name: string;
  readonly program: (n: number) => CellsProgram;
  readonly traces: Readonly<Record<number, number>>;
  readonly deadlocked?: Readonly<Record<number, number>>;
  readonly bounded?: Readonly<Record<number, readonly number[]>>;
}

const factorial = { 2: 2, 3: 6, 4: 24, 5: 120, 6: 720, 7: 5040 };
const oneTurnEach = { 2: [2], 3: [6], 4: [24], 5: [120], 6: [720] };
const squares = { 2: [2, 4], 3: [6, 24, 36], 4: [24, 168, 432, 576] };

const families: readonly Family[] = [
  { name: "readers", program: readers, traces: { 2: 4, 3: 8, 4: 16, 8: 256, 13: 8192 } },
  { name: "writers", program: writers, traces: { 1: 2, 2: 6, 3: 24, 4: 120, 5: 720 } },
  {
    name: "lastzero",
    program: lastZero,
    traces: { 1: 2, 2: 5, 3: 12, 4: 28, 5: 64, 10: 3328, 12: 15360, 15: 147456 },
  },
  { name: "indexer", program: indexer, traces: { 11: 1, 12: 8, 13: 64, 14: 512, 15: 4096 } },
  { name: "filesystem", program: filesystem, traces: { 13: 1, 14: 2, 16: 8, 18: 32, 19: 64 } },
  { name: "ainc", program: (n) => adders(n, 1), traces: factorial, bounded: oneTurnEach },
  { name: "lockinc", program: (n) => lockedIncrements(n, 1), traces: factorial, bounded: oneTurnEach },
  { name: "lock2inc", program: (n) => lockedIncrements(n, 2), traces: factorial, bounded: oneTurnEach },
  { name: "binc", program: (n) => adders(n, 2), traces: { 2: 4, 3: 36, 4: 576 }, bounded: squares },
  {
    name: "cinc",
    program: (n) => adders(n, 3),
    traces: { 2: 8, 3: 216, 4: 13824 },
    bounded: {
      2: [2, 6, 8],
      3: [6, 42, 120, 192, 216],
      4: [24, 312, 1704, 5160, 9792, 12960, 13824],
    },
  },
  { name: "inc", program: increments, traces: { 2: 4, 3: 36, 4: 576, 5: 14400 }, bounded: squares },
  { name: "rw", program: readThenWrite, traces: { 2: 4, 3: 36, 4: 576 }, bounded: squares },
  {
    name: "wrw",
    program: writerAndReadThenWrite,
    traces: { 2: 22, 3: 300, 4: 6576 },
    bounded: { 2: [6, 18, 22], 3: [24, 132, 264, 300], 4: [120, 1080, 3600, 6000, 6576] },
  },
  {
    name: "wainc",
    program: writerAndAdders,
    traces: { 2: 6, 3: 24, 4: 120 },
    bounded: { 2: [6], 3: [24], 4: [120] },
  },
  {
    name: "cas",
    program: swappers,
    traces: { 2: 2, 3: 3, 4: 4, 5: 5 },
    bounded: { 2: [2], 3: [3], 4: [4], 5: [5] },
  },
  {
    name: "fib_bench, two tasks",
    program: fibonacci,
    traces: { 1: 3, 2: 19, 3: 141, 4: 1107, 5: 8953 },
    bounded: { 1: [2, 3] },
  },
  { name: "fib_bench", program: (n) => fibonacci(n, "one looks"), traces: { 5: 218243 } },
  {
    name: "philosophers, left then right",
    program: (n) => philosophers(n, "left, right"),
    traces: { 2: 3, 3: 7, 4: 15 },
    deadlocked: { 2: 1, 3: 1, 4: 1 },
  },
  {
    name: "philosophers, ordered",
    program: (n) => philosophers(n, "ordered"),
    traces: { 2: 2, 3: 6, 4: 14 },
  },
  {
    name: "dekker2-fixed",
    program: dekkerFixed,
    traces: { 2: 6, 3: 6, 4: 6 },
    bounded: { 2: [5, 6], 3: [5, 6], 4: [5, 6] },
  },
  { name: "mutex_order", program: mutexOrder, traces: { 2: 2, 3: 6 } },
  {
    name: "mutex_deadlock",
    program: mutexDeadlock,
    traces: { 2: 2, 3: 3 },
    deadlocked: { 2: 2, 3: 3 },
  },
  { name: "mutex_deadlock_one", program: mutexDeadlockOne, traces: { 3: 5 }, deadlocked: { 3: 3 } },
  {
    name: "mutex_trylock_deadlock",
    program: (n) => tryLockDeadlock(n, "read"),
    traces: { 3: 3 },
  },
  {
    name: "mutex_trylock_deadlock, a failing try is a write",
    program: (n) => tryLockDeadlock(n, "ordered"),
    traces: { 3: 6 },
  },
  { name: "mutex_trylock_unlock", program: (n) => tryLockUnlock(n, "read"), traces: { 3: 21 } },
  {
    name: "mutex_trylock_unlock, a failing try is a write",
    program: (n) => tryLockUnlock(n, "ordered"),
    traces: { 3: 24 },
  },
  { name: "mutex_vs_trylock", program: (n) => lockAndTryLock(n, "read"), traces: { 1: 3, 2: 15 } },
  {
    name: "mutex_vs_trylock, a failing try is a write",
    program: (n) => lockAndTryLock(n, "ordered"),
    traces: { 1: 3, 2: 16 },
  },
  { name: "open and remove", program: openAndRemove, traces: { 1: 3, 2: 22 }, deadlocked: { 1: 1, 2: 12 } },
  { name: "pointing", program: pointing, traces: { 2: 4, 3: 6, 5: 10, 10: 20, 16: 32 } },
];

const singles: readonly Row[] = [
  ...litmusTests.map((test) => ({
    name: test.name,
    program: () => litmus(test),
    traces: test.traces,
    bounded: test.bounded,
  })),
  { name: "probe, then interrupt", program: () => probeAndInterrupt("memory first"), traces: 1 },
  {
    name: "interrupt during probe",
    program: () => probeAndInterrupt("handler first"),
    traces: 2,
    fails: true,
  },
  { name: "dekker_f", program: dekker, traces: 3, bounded: [2, 3] },
  { name: "peterson", program: peterson, traces: 4, counted: "without deadlock", bounded: [2, 2, 4] },
  { name: "lamport(2)", program: lamport, traces: 16, counted: "without deadlock", bounded: [2, 6, 10, 16] },
  { name: "szymanski", program: szymanski, traces: 6, counted: "without deadlock", bounded: [2, 2, 6] },
];

/** Every row. Small programs first within each family. */
export const rows: readonly Row[] = [...families.flatMap(rowsOf), ...singles];

function rowsOf({ name, program, traces, deadlocked, bounded }: Family): Row[] {
  return Object.entries(traces).map(([n, count]) => {
    const bounds = bounded?.[Number(n)];
    return {
      name: `${name}(${n})`,
      program: () => program(Number(n)),
      traces: count,
      deadlocked: deadlocked?.[Number(n)] ?? 0,
      ...(bounds === undefined ? {} : { bounded: bounds }),
    };
  });
}
