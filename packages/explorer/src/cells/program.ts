/**
 * Small concurrent programs as data: tasks that work on shared cells and locks, one operation at a time. Everything a
 * task keeps to itself is in eight registers, so a state of the program is a row of numbers that can be kept and
 * restored.
 */

/** The registers of a task, all 0 at first. */
export interface Registers {
  readonly a: number;
  readonly b: number;
  readonly c: number;
  readonly d: number;
  readonly e: number;
  readonly f: number;
  readonly g: number;
  readonly h: number;
}
export type Register = keyof Registers;
/** A number, or how to get it from the task's registers. Must not do anything else. */
export type Value = number | ((registers: Registers) => number);
/** A cell by name, or one of an array of cells by name and position. */
export type CellName = string | readonly [name: string, position: Value];
/** A lock by name, or one of an array of locks. */
export type LockName = CellName;

/** One operation on shared state: the task stops before it, and another may go first. */
export type Operation =
  | { readonly kind: "load"; readonly cell: CellName; readonly to?: Register | undefined }
  | { readonly kind: "store"; readonly cell: CellName; readonly value: Value }
  | {
      readonly kind: "add" | "exchange";
      readonly cell: CellName;
      readonly value: Value;
      readonly to?: Register | undefined;
    }
  | {
      readonly kind: "compareAndSwap";
      readonly cell: CellName;
      readonly expected: Value;
      readonly value: Value;
      readonly to?: Register | undefined;
    }
  | { readonly kind: "lock" | "unlock"; readonly lock: LockName }
  | { readonly kind: "tryLock"; readonly lock: LockName; readonly to?: Register | undefined }
  | { readonly kind: "start"; readonly task: number };

/** What a task does by itself, right after the operation before it. */
export type LocalInstruction =
  | { readonly kind: "set"; readonly to: Register; readonly value: Value }
  | { readonly kind: "label"; readonly name: string }
  | { readonly kind: "jump"; readonly label: string; readonly when?: Value | undefined }
  | { readonly kind: "check"; readonly holds: Value; readonly message: string }
  | { readonly kind: "assume"; readonly holds: Value };

export type Instruction = Operation | LocalInstruction;

/** Reads a cell into a register. */
export function load(cell: CellName, to?: Register): Instruction {
  return { kind: "load", cell, to };
}

export function store(cell: CellName, value: Value): Instruction {
  return { kind: "store", cell, value };
}

/** Adds to a cell in one step; the register gets the value before. */
export function add(cell: CellName, value: Value, to?: Register): Instruction {
  return { kind: "add", cell, value, to };
}

/** Writes a cell in one step; the register gets the value before. */
export function exchange(cell: CellName, value: Value, to?: Register): Instruction {
  return { kind: "exchange", cell, value, to };
}

/** Writes a cell if it has the expected value; the register gets 1, or 0 if it had not. */
export function compareAndSwap(cell: CellName, expected: Value, value: Value, to?: Register): Instruction {
  return { kind: "compareAndSwap", cell, expected, value, to };
}

/** Takes a lock; the task can't run while another one, or itself, holds it. */
export function lock(name: LockName): Instruction {
  return { kind: "lock", lock: name };
}

/** Gives a lock back. Not holding it is a failure of the program. */
export function unlock(name: LockName): Instruction {
  return { kind: "unlock", lock: name };
}

/** Takes a lock if it is free; the register gets 1, or 0 if it was not. */
export function tryLock(name: LockName, to?: Register): Instruction {
  return { kind: "tryLock", lock: name, to };
}

/** Lets a task begin that is among the program's `started` ones. Once per task. */
export function start(task: number): Instruction {
  return { kind: "start", task };
}

export function set(to: Register, value: Value): Instruction {
  return { kind: "set", to, value };
}

export function label(name: string): Instruction {
  return { kind: "label", name };
}

/** Goes on at a label, always or when the value is not 0. A label that is nowhere is the end of the task. */
export function jump(to: string, when?: Value): Instruction {
  return { kind: "jump", label: to, when };
}

/** Fails the program if the value is 0. The run goes on to its end. */
export function check(holds: Value, message: string): Instruction {
  return { kind: "check", holds, message };
}

/**
 * Stops the task for good if the value is 0; the run then counts as a deadlock. Stands for waiting in a loop, of which only
 * the last round matters.
 */
export function assume(holds: Value): Instruction {
  return { kind: "assume", holds };
}
