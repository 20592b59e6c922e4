/** Arrays of cells: the programs that source sets and wakeup trees were first measured with (POPL 2014). */
import { type CellsProgram, defineCells } from "../define.js";
import { compareAndSwap, type Instruction, jump, label, load, lock, set, store, unlock } from "../program.js";
import { times } from "./times.js";

/** n tasks set `array[i + 1] = array[i] + 1`, one looks for the last zero: (n + 3)·2ⁿ⁻² traces. */
export function lastZero(n: number): CellsProgram {
  const search = [
    set("a", n),
    label("again"),
    load(["array", (r) => r.a], "b"),
    jump("end", (r) => (r.b === 0 ? 1 : 0)),
    set("a", (r) => r.a - 1),
    jump("again"),
  ];
  const tasks = times(n, (i) => [load(["array", i], "a"), store(["array", i + 1], (r) => r.a + 1)]);
  return defineCells({ cells: { array: times(n + 1, () => 0) }, tasks: [search, ...tasks] });
}

/** n tasks put four entries each into a hash table of 128; they collide from 12 tasks on: 8ⁿ⁻¹¹ traces. */
export function indexer(n: number): CellsProgram {
  // a: how many are in, b: the entry, c: where to try, d: whether it was free.
  const task = (id: number): Instruction[] => [
    label("next"),
    jump("end", (r) => (r.a === 4 ? 1 : 0)),
    set("b", (r) => r.a * 11 + id),
    set("c", (r) => (r.b * 7) % 128),
    label("try"),
    compareAndSwap(["table", (r) => r.c], 0, (r) => r.b, "d"),
    set("c", (r) => (r.c + 1) % 128),
    jump("try", (r) => (r.d === 0 ? 1 : 0)),
    set("a", (r) => r.a + 1),
    jump("next"),
  ];
  return defineCells({ cells: { table: times(128, () => 0) }, tasks: times(n, task) });
}

/** n tasks allocate a block to an inode each, of 26 and 32; they meet from 14 tasks on: 2ⁿ⁻¹³ traces up to 26 tasks. */
export function filesystem(n: number): CellsProgram {
  // a: the inode's block, b: which block is tried, c: whether it is busy.
  const task = (id: number): Instruction[] => [
    lock(["inodeLock", id % 32]),
    load(["inode", id % 32], "a"),
    jump("done", (r) => r.a),
    set("b", (id * 2) % 26),
    label("try"),
    lock(["blockLock", (r) => r.b]),
    load(["busy", (r) => r.b], "c"),
    jump("taken", (r) => r.c),
    store(["busy", (r) => r.b], 1),
    store(["inode", id % 32], (r) => r.b + 1),
    unlock(["blockLock", (r) => r.b]),
    jump("done"),
    label("taken"),
    unlock(["blockLock", (r) => r.b]),
    set("b", (r) => (r.b + 1) % 26),
    jump("try"),
    label("done"),
    unlock(["inodeLock", id % 32]),
  ];
  return defineCells({
    cells: { inode: times(32, () => 0), busy: times(26, () => 0) },
    locks: { inodeLock: 32, blockLock: 26 },
    tasks: times(n, task),
  });
}

/** Two tasks each add the other's number to their own, n times; a third may look whether one got past 144. */
export function fibonacci(n: number, looking: "nobody looks" | "one looks" = "nobody looks"): CellsProgram {
  const task = (own: string): Instruction[] =>
    times(n, () => [load("x", "a"), load("y", "b"), store(own, (r) => r.a + r.b)]).flat();
  const look = [load("x", "a"), jump("end", (r) => (r.a > 144 ? 1 : 0)), load("y", "a")];
  return defineCells({
    cells: { x: 1, y: 1 },
    tasks: [task("x"), task("y"), ...(looking === "one looks" ? [look] : [])],
  });
}

/**
 * n tasks write a cell of their own, one counts up to n - 1, and one writes the cell that the count points at: 2n traces, but
 * 2ⁿ runs for a search that only knows where to begin (after "Quasi-Optimal Partial Order Reduction", CAV 2018).
 */
export function pointing(n: number): CellsProgram {
  return defineCells({
    cells: { count: 0, x: times(n, () => 0) },
    tasks: [
      ...times(n, (i) => [store(["x", i], 7)]),
      times(n - 1, (i) => store("count", i + 1)),
      [load("count", "a"), store(["x", (r) => r.a], 0)],
    ],
  });
}
