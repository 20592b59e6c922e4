import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Bounded } from "../search/bounded.js";
import { EverySchedule } from "../search/every-schedule.js";
import { OptimalDpor } from "../search/optimal-dpor.js";
import type { Search, SearchOptions } from "../search/search.js";
import { SleepSets } from "../search/sleep-sets.js";
import { SourceDpor } from "../search/source-dpor.js";
import type { Foresee, Step } from "../search/strategy.js";
import { Trail } from "../search/trail.js";
import { type CellsProgram, defineCells } from "./define.js";
import { exploreCells } from "./explore.js";
import { add, compareAndSwap, type Instruction, load, store } from "./program.js";
import { definitions } from "./programs.test.fixture.js";

const most = 20_000;

interface Seen {
  readonly search: Search;
  readonly abandoned: number;
  readonly complete: number;
  readonly finals: ReadonlySet<string>;
}

function explore(program: CellsProgram, search: Search): Seen | undefined {
  const finals = new Set<string>();
  const { runs, abandoned } = exploreCells(program, search, {
    afterFailure: "go on",
    maxRuns: most,
    observe: (shared, deadlocked) => finals.add(`${shared.join()} ${deadlocked}`),
  });
  if (runs === most) return undefined;
  return { search, abandoned, complete: runs - abandoned, finals };
}

/** Doesn't look ahead, like a runner of code that can't. */
class Blind extends OptimalDpor {
  override foreseeWith(_foresee: Foresee): void {}
}

/** Counts the preemptions of each schedule, and keeps the fewest per trace. */
class FewestPreemptions extends EverySchedule {
  readonly fewest = new Map<number, number>();
  readonly #preempted: boolean[] = [];

  override choose(runnable: readonly number[]): number {
    const { length, task } = this.trail;
    const next = super.choose(runnable);
    const last = length > 0 ? task[length - 1]! : -1;
    this.#preempted[length] = next !== last && runnable.includes(last);
    return next;
  }

  override runEnded(...end: Parameters<EverySchedule["runEnded"]>): void {
    super.runEnded(...end);
    const form = this.trail.form();
    const count = this.#preempted.slice(0, this.trail.length).filter(Boolean).length;
    this.fewest.set(form, Math.min(count, this.fewest.get(form) ?? Number.POSITIVE_INFINITY));
  }
}

const reductions: readonly (readonly [string, new (options: SearchOptions) => Search])[] = [
  ["sleep sets", SleepSets],
  ["source sets", SourceDpor],
  ["wakeup trees", OptimalDpor],
  ["wakeup trees without looking ahead", Blind],
];

for (const [name, Reduction] of reductions)
  test(`${name} see every trace, deadlock and final state of random programs, each trace once`, () => {
    fc.assert(
      fc.property(definitions, (definition) => {
        const program = defineCells(definition);
        const every = explore(program, new EverySchedule());
        fc.pre(every !== undefined);
        const reduced = explore(program, new Reduction({ remember: true }));
        assert.ok(reduced);
        assert.deepEqual(sorted(reduced.search.forms), sorted(every.search.forms));
        assert.deepEqual(sorted(reduced.search.deadlockedForms), sorted(every.search.deadlockedForms));
        assert.deepEqual([...reduced.finals].sort(), [...every.finals].sort());
        assert.equal(reduced.complete, every.search.forms.size);
        if (Reduction === OptimalDpor) assert.equal(reduced.abandoned, 0);
      }),
      { numRuns: 400, seed: 1 },
    );
  });

test("a bounded search sees just those traces of random programs that need no more preemptions", () => {
  fc.assert(
    fc.property(definitions, fc.nat(3), (definition, bound) => {
      const program = defineCells(definition);
      const every = new FewestPreemptions();
      fc.pre(explore(program, every) !== undefined);
      const bounded = new Bounded(bound);
      assert.ok(explore(program, bounded));
      const within = [...every.fewest].filter(([, count]) => count <= bound).map(([form]) => form);
      assert.deepEqual(sorted(bounded.forms), sorted(within));
    }),
    { numRuns: 400, seed: 2 },
  );
});

test("the form of a trace tells random programs' traces apart just as their clocks do", () => {
  /** Writes down every step with its whole clock. */
  class Written extends EverySchedule {
    readonly written = new Map<string, number>();
    readonly #steps: Step[] = [];

    override nextRun(): number | null {
      const shared = super.nextRun();
      if (shared !== null) this.#steps.length = shared;
      return shared;
    }

    override stepped(step: Step): void {
      super.stepped(step);
      this.#steps.push({ ...step });
    }

    override runEnded(...end: Parameters<EverySchedule["runEnded"]>): void {
      super.runEnded(...end);
      const trail = new Trail();
      for (const step of this.#steps) trail.push(step);
      const lines = this.#steps.map((step, at) => {
        const clock = Array.from({ length: 4 }, (_, task) => trail.clock(at, task));
        return `${step.task} ${clock.join()}`;
      });
      this.written.set(lines.sort().join(";"), this.trail.form());
    }
  }
  fc.assert(
    fc.property(definitions, (definition) => {
      const every = new Written();
      fc.pre(explore(defineCells(definition), every) !== undefined);
      assert.equal(every.written.size, every.forms.size);
      assert.deepEqual(sorted(new Set(every.written.values())), sorted(every.forms));
    }),
    { numRuns: 100, seed: 3 },
  );
});

/** Found by chance: programs in which a race, turned in one run, has to be turned in another one again. */
const wide: readonly (readonly [string, number])[] = [
  ["R2 | W1 R0 | R0 W3 | R2 A2 | R3 R2 R2 | R1 R3 C1 | A0", 276],
  ["R2 | W1 | C1 W3 | R0 R1 | R1 R0 A2 | W2 A1 A3 | R2", 1908],
  ["W0 C0 | R2 A3 A2 | W2 | R3 R1 | C1 R0 A3 | C3 R1 C2 | W3", 4732],
];

for (const [text, traces] of wide)
  test(`all methods see the ${traces} traces of ${text}`, () => {
    const instruction = (word: string): Instruction => {
      const cell = ["x", Number(word[1])] as const;
      if (word.startsWith("R")) return load(cell, "a");
      if (word.startsWith("W")) return store(cell, (r) => r.a + 1);
      return word.startsWith("A") ? add(cell, 1, "a") : compareAndSwap(cell, 0, 1, "a");
    };
    const tasks = text.split(" | ").map((task) => task.split(" ").map(instruction));
    const program = defineCells({ cells: { x: [0, 0, 0, 0] }, tasks });
    for (const [name, Reduction] of reductions)
      assert.equal(exploreCells(program, new Reduction({})).traces, traces, name);
  });

function sorted(numbers: Iterable<number>): number[] {
  return [...numbers].sort((a, b) => a - b);
}
