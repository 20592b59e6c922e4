/**
 * Ways to exclude each other with cells alone, as in GenMC's tests ("synthetic"). Waiting in a loop is an assumption there; runs
 * in which it does not hold are not among the published counts.
 */
import { type CellsProgram, defineCells } from "../define.js";
import { assume, type Instruction, jump, label, load, store } from "../program.js";
import { times } from "./times.js";

/** Two tasks of which at most one gets in, and two that would see both in: they never do, so n does not count. */
export function dekkerFixed(n: number): CellsProgram {
  const enter = (own: string, other: string, inside: string): Instruction[] => [
    store(own, 1),
    load(other, "a"),
    jump("end", (r) => r.a),
    store(inside, 1),
  ];
  const watch = (then: (i: number) => Instruction): Instruction[] => [
    load("z1", "a"),
    jump("end", (r) => (r.a === 0 ? 1 : 0)),
    load("z2", "a"),
    jump("end", (r) => (r.a === 0 ? 1 : 0)),
    ...times(n, then),
  ];
  return defineCells({
    cells: { x: 0, y: 0, z1: 0, z2: 0 },
    tasks: [
      enter("y", "x", "z1"),
      enter("x", "y", "z2"),
      watch((i) => store("x", i)),
      watch(() => load("x")),
    ],
  });
}

/** Dekker's entry alone: 3 traces. */
export function dekker(): CellsProgram {
  const task = (own: string, other: string, mark: number): Instruction[] => [
    store(own, 1),
    load(other, "a"),
    jump("end", (r) => r.a),
    store("c", mark),
    load("c"),
  ];
  return defineCells({ cells: { x: 0, y: 0, c: 0 }, tasks: [task("y", "x", 1), task("x", "y", 0)] });
}

/** Peterson's algorithm: 4 traces in which both get in. */
export function peterson(): CellsProgram {
  const task = (own: string, other: string, turn: number, mark: number): Instruction[] => [
    store(own, 1),
    store("turn", turn),
    load(other, "a"),
    jump("in", (r) => (r.a !== 1 ? 1 : 0)),
    load("turn", "a"),
    assume((r) => (r.a !== turn ? 1 : 0)),
    label("in"),
    store("x", mark),
    load("x"),
    store(own, 0),
  ];
  return defineCells({
    cells: { flag1: 0, flag2: 0, turn: 0, x: 0 },
    tasks: [task("flag1", "flag2", 1, 0), task("flag2", "flag1", 0, 1)],
  });
}

/** Lamport's fast algorithm for two tasks: 16 traces in which both get in. */
export function lamport(): CellsProgram {
  const task = (id: number): Instruction[] => [
    label("again"),
    store(["b", id], 1),
    store("x", id),
    load("y", "a"),
    jump("free", (r) => (r.a === 0 ? 1 : 0)),
    store(["b", id], 0),
    load("y", "a"),
    assume((r) => (r.a === 0 ? 1 : 0)),
    jump("again"),
    label("free"),
    store("y", id),
    load("x", "a"),
    jump("in", (r) => (r.a === id ? 1 : 0)),
    store(["b", id], 0),
    ...[1, 2].flatMap((j) => [load(["b", j], "a"), assume((r) => 1 - r.a)]),
    load("y", "a"),
    jump("in", (r) => (r.a === id ? 1 : 0)),
    load("y", "a"),
    assume((r) => (r.a === 0 ? 1 : 0)),
    jump("again"),
    label("in"),
    store("y", 0),
    store(["b", id], 0),
  ];
  return defineCells({ cells: { b: [0, 0, 0], x: 0, y: 0 }, tasks: [task(1), task(2)] });
}

/** Szymanski's algorithm, once through: 6 traces in which both get in. */
export function szymanski(): CellsProgram {
  const task = (own: string, other: string, mark: number): Instruction[] => [
    store(own, 1),
    load(other, "a"),
    assume((r) => (r.a < 3 ? 1 : 0)),
    store(own, 3),
    load(other, "a"),
    jump("on", (r) => (r.a !== 1 ? 1 : 0)),
    store(own, 2),
    load(other, "a"),
    assume((r) => (r.a === 4 ? 1 : 0)),
    label("on"),
    store(own, 4),
    load(other, "a"),
    assume((r) => (r.a < 2 ? 1 : 0)),
    store("x", mark),
    load("x"),
    load("x"),
    load(other, "a"),
    jump("out", (r) => (r.a < 2 ? 1 : 0)),
    load(other, "a"),
    assume((r) => (r.a > 3 ? 1 : 0)),
    label("out"),
    store(own, 0),
  ];
  return defineCells({
    cells: { flag1: 0, flag2: 0, x: 0 },
    tasks: [task("flag1", "flag2", 0), task("flag2", "flag1", 1)],
  });
}
