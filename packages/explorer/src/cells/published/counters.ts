/**
 * Counters and single cells. Names and programs as in GenMC's tests ("synthetic") and, for readers, in "Optimal Dynamic
 * Partial Order Reduction" (POPL 2014).
 */
import { type CellsProgram, defineCells } from "../define.js";
import { add, compareAndSwap, type Instruction, load, lock, store, unlock } from "../program.js";
import { times } from "./times.js";

/** One writer, n readers of one cell: 2ⁿ traces. */
export function readers(n: number): CellsProgram {
  return defineCells({ cells: { x: 0 }, tasks: [[store("x", 1)], ...times(n, () => [load("x")])] });
}

/** n writers and a reader of one cell: (n + 1)! traces. */
export function writers(n: number): CellsProgram {
  return defineCells({
    cells: { x: 0 },
    tasks: [...times(n, (i) => [store("x", i + 1)]), [load("x")]],
  });
}

/** n tasks that each add to `cells` cells, one after the other: (n!)^cells traces. */
export function adders(n: number, cells: 1 | 2 | 3): CellsProgram {
  const names = ["x", "y", "z"].slice(0, cells);
  return defineCells({
    cells: { x: 0, y: 0, z: 0 },
    tasks: times(n, () => names.map((name) => add(name, 1))),
  });
}

/** n tasks that read a cell and then write it: (n!)² traces. */
export function increments(n: number): CellsProgram {
  return defineCells({ cells: { x: 0 }, tasks: times(n, () => increment("x")) });
}

/** The same, writing what has nothing to do with what was read. */
export function readThenWrite(n: number): CellsProgram {
  return defineCells({ cells: { x: 0 }, tasks: times(n, (i) => [load("x"), store("x", i)]) });
}

/** One writer beside n tasks that read and then write. */
export function writerAndReadThenWrite(n: number): CellsProgram {
  const tasks = times(n, (i) => [load("x"), store("x", i)]);
  return defineCells({ cells: { x: 0 }, tasks: [[store("x", 1)], ...tasks] });
}

/** n tasks that increment one cell, or two, under a lock: n! traces. */
export function lockedIncrements(n: number, cells: 1 | 2): CellsProgram {
  const body = ["x", "y"].slice(0, cells).flatMap(increment);
  return defineCells({
    cells: { x: 0, y: 0 },
    locks: ["m"],
    tasks: times(n, () => [lock("m"), ...body, unlock("m")]),
  });
}

/** A writer and n tasks that add: (n + 1)! traces. */
export function writerAndAdders(n: number): CellsProgram {
  return defineCells({ cells: { x: 0 }, tasks: [[store("x", 42)], ...times(n, () => [add("x", 1)])] });
}

/** n tasks that compare the same cell with its first value and swap: one succeeds, n traces. */
export function swappers(n: number): CellsProgram {
  return defineCells({ cells: { x: 0 }, tasks: times(n, (i) => [compareAndSwap("x", 0, i + 1)]) });
}

function increment(cell: string): Instruction[] {
  return [load(cell, "a"), store(cell, (r) => r.a + 1)];
}
