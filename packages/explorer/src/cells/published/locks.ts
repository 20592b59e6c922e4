/** Locks: programs after Nidhugg's smoke tests (mutex_*), and philosophers at table. */
import { type CellsProgram, defineCells, type FailingCounts } from "../define.js";
import { add, type Instruction, jump, lock, tryLock, unlock } from "../program.js";
import { times } from "./times.js";

/** n tasks add under a lock: n! traces. */
export function mutexOrder(n: number): CellsProgram {
  return held(times(n, () => [lock("m"), add("x", 1), unlock("m")]));
}

/** n tasks take a lock and keep it: n traces, each a deadlock. */
export function mutexDeadlock(n: number): CellsProgram {
  return held(times(n, () => [lock("m"), add("x", 1)]));
}

/** n tasks add under a lock, the last one keeps it. */
export function mutexDeadlockOne(n: number): CellsProgram {
  const task = [lock("m"), add("x", 1)];
  return held(times(n, (i) => (i === n - 1 ? task : [...task, unlock("m")])));
}

/** n tasks try to take a lock, and keep it. */
export function tryLockDeadlock(n: number, failing: FailingCounts): CellsProgram {
  return held(
    times(n, () => trying()),
    failing,
  );
}

/** n tasks try to take a lock, and give it back. */
export function tryLockUnlock(n: number, failing: FailingCounts): CellsProgram {
  return held(
    times(n, () => [...trying(), unlock("m")]),
    failing,
  );
}

/** n tasks try to take a lock that another one takes. */
export function lockAndTryLock(n: number, failing: FailingCounts): CellsProgram {
  const tries = times(n, () => [...trying(), unlock("m")]);
  return held([[lock("m"), add("x", 1), unlock("m")], ...tries], failing);
}

/** n philosophers; "left, right" all reach left first: 2ⁿ - 1 traces, one a deadlock. "ordered": 2ⁿ - 2, none. */
export function philosophers(n: number, reaching: "left, right" | "ordered"): CellsProgram {
  const task = (i: number): Instruction[] => {
    const forks = [i, (i + 1) % n];
    if (reaching === "ordered") forks.sort((a, b) => a - b);
    return [...forks.map((fork) => lock(["fork", fork])), ...forks.map((fork) => unlock(["fork", fork]))];
  };
  return defineCells({ locks: { fork: n }, tasks: times(n, task) });
}

function trying(): Instruction[] {
  return [tryLock("m", "a"), jump("end", (r) => 1 - r.a), add("x", 1)];
}

function held(tasks: Instruction[][], failingTryLock: FailingCounts = "read"): CellsProgram {
  return defineCells({ cells: { x: 0 }, locks: ["m"], tasks, failingTryLock });
}
