/**
 * Life of a device in a few steps each: opening, removing, an interrupt. Our own programs; the counts are those of every
 * schedule, one by one.
 */
import { type CellsProgram, defineCells } from "../define.js";
import {
  add,
  assume,
  check,
  type Instruction,
  jump,
  label,
  load,
  lock,
  start,
  store,
  unlock,
} from "../program.js";
import { times } from "./times.js";

const open: readonly Instruction[] = [
  lock("device"),
  load("bound", "a"),
  jump("gone", (r) => (r.a === 0 ? 1 : 0)),
  add("users", 1),
  unlock("device"),
  load("memory", "b"),
  check((r) => r.b, "the memory was freed while the device was open"),
  add("users", -1),
  jump("end"),
];

/** `opens` tasks open the device while another removes it, which waits until nobody has it open. */
export function openAndRemove(opens: number): CellsProgram {
  const remove: Instruction[] = [
    lock("device"),
    store("bound", 0),
    unlock("device"),
    load("users", "a"),
    assume((r) => (r.a === 0 ? 1 : 0)),
    store("memory", 0),
  ];
  return defineCells({
    cells: { bound: 1, users: 0, memory: 1 },
    locks: ["device"],
    tasks: [...times(opens, () => [...open, label("gone"), unlock("device")]), remove],
  });
}

/** Probe lets the interrupt come before there is what its handler uses. */
export function probeAndInterrupt(order: "handler first" | "memory first"): CellsProgram {
  const memory = store("memory", 1);
  const request = start(1);
  return defineCells({
    cells: { memory: 0 },
    tasks: [
      order === "handler first" ? [request, memory] : [memory, request],
      [load("memory", "a"), check((r) => r.a, "the handler ran before its memory was there")],
    ],
    started: [1],
  });
}
