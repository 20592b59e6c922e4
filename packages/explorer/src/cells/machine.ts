import type { Step, Waiting } from "../search/strategy.js";
import type { CellsProgram, Compiled, FailingCounts } from "./define.js";
import type { Value } from "./program.js";
import { RegisterView } from "./register-view.js";

/** Instructions of its own that a task may run between two operations, before it counts as never coming back. */
const maxLocalInstructions = 100_000;
/** Where a task is that an assumption stopped. */
const stuck = -1;

/**
 * Runs a program of cells step by step. A state is a row of numbers: cells, locks (0: free, else who holds it, from 1),
 * per task where it is and which step started it, registers, and the first failure.
 */
export class CellMachine {
  readonly size: number;
  readonly tasks: number;
  readonly #program: CellsProgram;
  readonly #locks: number;
  readonly #at: number;
  readonly #startedBy: number;
  readonly #registers: number;
  readonly #failure: number;
  readonly #view: RegisterView;
  readonly #reads: readonly (readonly number[])[];
  readonly #writes: readonly (readonly number[])[];
  readonly #nothing: readonly number[] = [];
  /** What went wrong, by the number that states keep. */
  readonly #failures: string[] = [];
  readonly #step = {
    task: 0,
    footprint: this.#nothing,
    enabledBy: -1,
    acquires: -1,
    takes: -1,
    releases: -1,
    varies: false,
  };

  constructor(program: CellsProgram) {
    this.#program = program;
    this.tasks = program.tasks.length;
    this.#locks = program.initial.length;
    this.#at = this.#locks + program.locks;
    this.#startedBy = this.#at + this.tasks;
    this.#registers = this.#startedBy + this.tasks;
    this.#failure = this.#registers + this.tasks * program.registers;
    this.size = this.#failure + 2;
    this.#view = new RegisterView(program.registers);
    this.#reads = program.names.map((_, object) => [object * 2]);
    this.#writes = program.names.map((_, object) => [object * 2 + 1]);
  }

  /** @returns the state before the first step */
  initial(): Int32Array<ArrayBuffer> {
    const state = new Int32Array(this.size);
    state.set(this.#program.initial);
    for (let task = 0; task < this.tasks; task++) {
      // -1: from the start; -2: not started yet; else the step that started it.
      state[this.#startedBy + task] = this.#program.started.has(task) ? -2 : -1;
      this.#runLocal(state, task, 0);
    }
    return state;
  }

  /** Collects the tasks that can run, ascending. */
  runnable(state: Int32Array, into: number[]): void {
    let count = 0;
    for (let task = 0; task < this.tasks; task++) {
      const operation = this.#program.tasks[task]![state[this.#at + task]!];
      if (operation === undefined || state[this.#startedBy + task] === -2) continue;
      if (operation.kind === "lock" && state[this.#objectOf(state, task, operation)] !== 0) continue;
      into[count++] = task;
    }
    if (into.length !== count) into.length = count;
  }

  /** Tasks that have not ended and can't run. */
  waiting(state: Int32Array): Waiting[] {
    const waiting: Waiting[] = [];
    for (let task = 0; task < this.tasks; task++) {
      const at = state[this.#at + task]!;
      const operation = this.#program.tasks[task]![at];
      if (operation === undefined && at !== stuck) continue;
      const enabledBy = state[this.#startedBy + task]!;
      if (operation === undefined || enabledBy === -2) waiting.push({ task, acquires: -1 });
      else if (operation.kind === "lock") {
        const acquires = this.#objectOf(state, task, operation);
        if (state[acquires] !== 0) waiting.push({ task, acquires, enabledBy });
      }
    }
    return waiting;
  }

  /** The first failure on the way to a state: what, and in which step. */
  failure(state: Int32Array): { readonly message: string; readonly step: number } | undefined {
    const number = state[this.#failure]!;
    if (number === 0) return undefined;
    return { message: this.#failures[number - 1]!, step: state[this.#failure + 1]! };
  }

  /** Whether two states are the same for all that may follow. */
  alike(one: Int32Array, other: Int32Array): boolean {
    for (let i = 0; i < this.#failure; i++) {
      const started = i >= this.#startedBy && i < this.#registers;
      if (started ? (one[i] === -2) !== (other[i] === -2) : one[i] !== other[i]) return false;
    }
    return true;
  }

  /** Cells and locks of a state. */
  shared(state: Int32Array): number[] {
    return [...state.subarray(0, this.#at)];
  }

  /**
   * Lets a task that can run take one step, changing the state.
   * @param depth how many steps were taken before
   * @returns an object that the next call overwrites; its footprint stays
   */
  step(state: Int32Array, task: number, depth: number): Step {
    const operation = this.#program.tasks[task]![state[this.#at + task]!]!;
    const step = this.#step;
    step.task = task;
    step.enabledBy = state[this.#startedBy + task]!;
    step.acquires = step.takes = step.releases = -1;
    step.varies = false;
    step.footprint = this.#nothing;
    const object = operation.base < 0 ? -1 : this.#objectOf(state, task, operation);
    this.#perform(state, operation, task, object, depth);
    this.#runLocal(state, task, depth);
    return step;
  }

  #perform(state: Int32Array, operation: Compiled, task: number, object: number, depth: number): void {
    const step = this.#step;
    const { to } = operation;
    const before = object < 0 ? 0 : state[object]!;
    step.footprint = object < 0 ? this.#nothing : this.#writes[object]!;
    switch (operation.kind) {
      case "load":
        step.footprint = this.#reads[object]!;
        this.#setRegister(state, task, to, before);
        break;
      case "store":
        state[object] = this.#valueOf(state, task, operation.value);
        break;
      case "add":
        state[object] = before + this.#valueOf(state, task, operation.value);
        this.#setRegister(state, task, to, before);
        break;
      case "exchange":
        state[object] = this.#valueOf(state, task, operation.value);
        this.#setRegister(state, task, to, before);
        break;
      case "compareAndSwap": {
        const succeeds = before === this.#valueOf(state, task, operation.expected);
        if (succeeds) state[object] = this.#valueOf(state, task, operation.value);
        else step.footprint = this.#failing(this.#program.failingCompareAndSwap, object);
        this.#setRegister(state, task, to, succeeds ? 1 : 0);
        step.varies = true;
        break;
      }
      case "lock":
        state[object] = task + 1;
        step.acquires = object;
        break;
      case "tryLock":
        if (before === 0) {
          state[object] = task + 1;
          step.takes = object;
        } else step.footprint = this.#failing(this.#program.failingTryLock, object);
        this.#setRegister(state, task, to, before === 0 ? 1 : 0);
        step.varies = true;
        break;
      case "unlock":
        if (before === task + 1) {
          state[object] = 0;
          step.releases = object;
        } else
          this.#fail(
            state,
            `task ${task} unlocks ${this.#program.names[object]}, which it does not hold`,
            depth,
          );
        break;
      case "start":
        if (state[this.#startedBy + operation.target] === -2)
          state[this.#startedBy + operation.target] = depth;
        break;
      case "set":
      case "label":
      case "jump":
      case "check":
      case "assume":
        break;
    }
    state[this.#at + task]!++;
  }

  #failing(counts: FailingCounts, object: number): readonly number[] {
    if (counts === "unseen") return this.#nothing;
    return (counts === "read" ? this.#reads : this.#writes)[object]!;
  }

  /** Runs a task up to its next operation. */
  #runLocal(state: Int32Array, task: number, depth: number): void {
    const instructions = this.#program.tasks[task]!;
    for (let count = 0; ; count++) {
      const at = state[this.#at + task]!;
      const instruction = instructions[at];
      if (instruction === undefined) return;
      let next = at + 1;
      switch (instruction.kind) {
        case "set":
          this.#setRegister(state, task, instruction.to, this.#valueOf(state, task, instruction.value));
          break;
        case "jump":
          if (this.#valueOf(state, task, instruction.value) !== 0) next = instruction.target;
          break;
        case "check":
          if (this.#valueOf(state, task, instruction.value) === 0)
            this.#fail(state, instruction.message, depth);
          break;
        case "assume":
          if (this.#valueOf(state, task, instruction.value) === 0) next = stuck;
          break;
        case "label":
          break;
        case "load":
        case "store":
        case "add":
        case "exchange":
        case "compareAndSwap":
        case "lock":
        case "unlock":
        case "tryLock":
        case "start":
          return;
      }
      if (count > maxLocalInstructions)
        throw new RangeError(
          `task ${task}, instruction ${at}: ${maxLocalInstructions} instructions without an operation on shared state; a loop must have one`,
        );
      state[this.#at + task] = next;
    }
  }

  #objectOf(state: Int32Array, task: number, operation: Compiled): number {
    const position = this.#valueOf(state, task, operation.position);
    if (position >= 0 && position < operation.count) return operation.base + position;
    throw new RangeError(
      `task ${task}: position ${position} of ${this.#program.names[operation.base]}, which has ${operation.count}`,
    );
  }

  #valueOf(state: Int32Array, task: number, value: Value): number {
    if (typeof value === "number") return value;
    const view = this.#view;
    view.state = state;
    view.base = this.#registers + task * this.#program.registers;
    return value(view) | 0;
  }

  #setRegister(state: Int32Array, task: number, register: number, value: number): void {
    if (register >= 0) state[this.#registers + task * this.#program.registers + register] = value;
  }

  #fail(state: Int32Array, message: string, step: number): void {
    if (state[this.#failure] !== 0) return;
    let number = this.#failures.indexOf(message);
    if (number < 0) number = this.#failures.push(message) - 1;
    state[this.#failure] = number + 1;
    state[this.#failure + 1] = step;
  }
}
