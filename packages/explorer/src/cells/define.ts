import type { CellName, Instruction, Register, Value } from "./program.js";

/** How a failing operation counts: as a read, as a write ("ordered"), or not at all ("unseen", unsound: for tests). */
export type FailingCounts = "read" | "ordered" | "unseen";

export interface CellsDefinition {
  /** Cells and their first values; several values make an array of cells. Whole numbers of 32 bits. */
  readonly cells?: Readonly<Record<string, number | readonly number[]>>;
  /** Locks, all free at first; a number makes an array of so many. */
  readonly locks?: readonly string[] | Readonly<Record<string, number>>;
  readonly tasks: readonly (readonly Instruction[])[];
  /** Tasks that wait to be started by another one. */
  readonly started?: readonly number[];
  /** "read" unless said. */
  readonly failingCompareAndSwap?: FailingCounts;
  /** "read" unless said. */
  readonly failingTryLock?: FailingCounts;
}

const registers = "abcdefgh";

/** An instruction with its names resolved. All have one shape, which is what makes running them fast. */
export interface Compiled {
  readonly kind: Instruction["kind"];
  /** First object of the cell or array, or of the lock; -1: none. */
  readonly base: number;
  /** How many objects there are from `base` on. */
  readonly count: number;
  readonly position: Value;
  readonly value: Value;
  readonly expected: Value;
  /** Number of the register to write; -1: none. */
  readonly to: number;
  /** Where a jump goes, or which task is started. */
  readonly target: number;
  readonly message: string;
}

/** A program ready to be explored. Made by `defineCells`. */
export interface CellsProgram {
  readonly tasks: readonly (readonly Compiled[])[];
  readonly started: ReadonlySet<number>;
  /** First values of the cells; objects from `initial.length` on are locks. */
  readonly initial: readonly number[];
  readonly locks: number;
  /** How many registers of each task are ever written. */
  readonly registers: number;
  /** Names of the objects, by number. */
  readonly names: readonly string[];
  readonly failingCompareAndSwap: FailingCounts;
  readonly failingTryLock: FailingCounts;
}

interface Range {
  readonly base: number;
  readonly count: number;
}

/**
 * Checks a program and resolves its names.
 * @throws {TypeError} naming the task and the instruction, if a name is not defined or a started task is not a task
 */
export function defineCells(definition: CellsDefinition): CellsProgram {
  const names: string[] = [];
  const initial: number[] = [];
  const ranges = new Map<string, Range>();
  for (const [name, value] of Object.entries(definition.cells ?? {})) {
    const values = typeof value === "number" ? [value] : value;
    ranges.set(name, { base: initial.length, count: values.length });
    for (const [i, first] of values.entries()) {
      initial.push(first);
      names.push(typeof value === "number" ? name : `${name}[${i}]`);
    }
  }
  let locks = 0;
  const declared = definition.locks ?? [];
  const sizes = isList(declared) ? declared.map((name) => [name, 1] as const) : Object.entries(declared);
  for (const [name, count] of sizes) {
    if (ranges.has(name)) throw new TypeError(`${name} is the name of a cell and of a lock`);
    ranges.set(name, { base: initial.length + locks, count });
    locks += count;
    for (let i = 0; i < count; i++) names.push(count === 1 ? name : `${name}[${i}]`);
  }
  const started = new Set(definition.started);
  let written = 0;
  const tasks = definition.tasks.map((instructions, task) => {
    const labels = labelsOf(instructions);
    const end = instructions.length;
    return instructions.map((instruction, at) => {
      const where = `task ${task}, instruction ${at} (${instruction.kind})`;
      const compiled = compile(instruction, where, ranges, initial.length, labels, end);
      written = Math.max(written, compiled.to + 1);
      if (instruction.kind === "start" && !started.has(instruction.task))
        throw new TypeError(`${where}: task ${instruction.task} is not among the started ones`);
      return compiled;
    });
  });
  return {
    tasks,
    started,
    initial,
    locks,
    registers: written,
    names,
    failingCompareAndSwap: definition.failingCompareAndSwap ?? "read",
    failingTryLock: definition.failingTryLock ?? "read",
  };
}

function isList(locks: NonNullable<CellsDefinition["locks"]>): locks is readonly string[] {
  return Array.isArray(locks);
}

function labelsOf(instructions: readonly Instruction[]): Map<string, number> {
  const labels = new Map<string, number>();
  for (const [at, instruction] of instructions.entries())
    if (instruction.kind === "label") labels.set(instruction.name, at);
  return labels;
}

function compile(
  instruction: Instruction,
  where: string,
  ranges: ReadonlyMap<string, Range>,
  firstLock: number,
  labels: ReadonlyMap<string, number>,
  end: number,
): Compiled {
  const find = (name: CellName, isLock: boolean): Range & { position: Value } => {
    const [word, position] = typeof name === "string" ? [name, 0] : name;
    const range = ranges.get(word);
    if (range === undefined || range.base >= firstLock !== isLock)
      throw new TypeError(`${where}: there is no ${isLock ? "lock" : "cell"} ${word}`);
    return { ...range, position };
  };
  const object =
    "cell" in instruction
      ? find(instruction.cell, false)
      : "lock" in instruction
        ? find(instruction.lock, true)
        : { base: -1, count: 0, position: 0 };
  const to: Register | undefined = "to" in instruction ? instruction.to : undefined;
  return {
    kind: instruction.kind,
    ...object,
    value: valueIn(instruction),
    expected: instruction.kind === "compareAndSwap" ? instruction.expected : 0,
    to: to === undefined ? -1 : registers.indexOf(to),
    target:
      instruction.kind === "jump"
        ? (labels.get(instruction.label) ?? end)
        : instruction.kind === "start"
          ? instruction.task
          : -1,
    message: instruction.kind === "check" ? instruction.message : "",
  };
}

function valueIn(instruction: Instruction): Value {
  if ("value" in instruction) return instruction.value;
  if ("holds" in instruction) return instruction.holds;
  if (instruction.kind === "jump") return instruction.when ?? 1;
  return 0;
}
