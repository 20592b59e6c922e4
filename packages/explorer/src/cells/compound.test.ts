/**
 * Steps of asynchronous code touch several objects, and which ones depends on what they read. Here each step is several
 * operations of a program of cells, and the searches can't look ahead.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { EverySchedule } from "../search/every-schedule.js";
import { OptimalDpor } from "../search/optimal-dpor.js";
import type { Search, SearchOptions } from "../search/search.js";
import { SleepSets } from "../search/sleep-sets.js";
import { SourceDpor } from "../search/source-dpor.js";
import { defineCells } from "./define.js";
import { CellMachine } from "./machine.js";
import { add, type Instruction, jump, load, start, store, type Value } from "./program.js";

const cells = 3;

const position: fc.Arbitrary<Value> = fc.oneof(
  fc.nat(cells - 1),
  fc.constant<Value>((r) => Math.abs(r.a) % cells),
);
const cell = position.map((i) => ["x", i] as const);
const operation: fc.Arbitrary<readonly Instruction[]> = fc.oneof(
  cell.map((x) => [load(x, "a")]),
  cell.map((x) => [store(x, (r) => r.a + 1)]),
  cell.map((x) => [add(x, 1, "a")]),
  cell.map((x) => [load(x, "a"), jump("end", (r) => (r.a === 0 ? 1 : 0))]),
);

interface Compound {
  readonly tasks: readonly (readonly Instruction[])[];
  readonly started: readonly number[];
  /** How many operations make a step. */
  readonly operations: number;
}

const compounds: fc.Arbitrary<Compound> = fc
  .record({
    tasks: fc.array(fc.array(operation, { minLength: 1, maxLength: 6 }), { minLength: 2, maxLength: 4 }),
    begins: fc.nat(6),
    operations: fc.integer({ min: 1, max: 3 }),
  })
  .map(({ tasks, begins, operations }) => {
    const lists = tasks.map((task) => task.map((instructions) => [...instructions]));
    const last = lists.length - 1;
    const first = lists[0]!;
    if (begins < first.length) first[begins]!.push(start(last));
    return {
      tasks: lists.map((list) => list.flat()),
      started: begins < first.length ? [last] : [],
      operations,
    };
  });

const most = 20_000;

/** @returns what came out at the ends of runs, or undefined where there are too many */
function explore({ tasks, started, operations }: Compound, search: Search): Set<string> | undefined {
  const machine = new CellMachine(defineCells({ cells: { x: [0, 0, 0] }, tasks, started }));
  const states = [machine.initial()];
  const runnable: number[] = [];
  const ends = new Set<string>();
  for (let runs = 0; ; runs++) {
    let depth = search.nextRun();
    if (depth === null) return ends;
    if (runs === most) return undefined;
    for (; ; depth++) {
      const state = states[depth]!.slice();
      machine.runnable(state, runnable);
      const task = runnable.length === 0 ? -1 : search.choose(runnable);
      if (task < 0) {
        const waiting = machine.waiting(state);
        if (runnable.length === 0) ends.add(`${machine.shared(state).join()} ${waiting.length}`);
        search.runEnded(runnable.length === 0 ? "complete" : "abandoned", waiting);
        break;
      }
      const { enabledBy } = machine.step(states[depth]!.slice(), task, depth);
      const touched = new Map<number, number>();
      for (let i = 0; i < operations; i++) {
        machine.runnable(state, runnable);
        if (!runnable.includes(task)) break;
        for (const use of machine.step(state, task, depth).footprint)
          touched.set(use >> 1, Math.max(use & 1, touched.get(use >> 1) ?? 0));
      }
      const footprint = [...touched].map(([object, written]) => object * 2 + written);
      search.stepped({ task, footprint, enabledBy, acquires: -1, varies: true });
      states[depth + 1] = state;
    }
  }
}

const reductions: readonly (readonly [string, new (options: SearchOptions) => Search])[] = [
  ["sleep sets", SleepSets],
  ["source sets", SourceDpor],
  ["wakeup trees", OptimalDpor],
];

for (const [name, Reduction] of reductions)
  test(`${name} see every trace of random programs whose steps touch now this, now that`, () => {
    fc.assert(
      fc.property(compounds, (program) => {
        const every = new EverySchedule();
        const ends = explore(program, every);
        fc.pre(ends !== undefined);
        const reduced = new Reduction({ remember: true });
        assert.deepEqual(sorted(explore(program, reduced) ?? []), sorted(ends));
        assert.deepEqual(sorted(reduced.forms), sorted(every.forms));
        assert.equal(reduced.statistics.complete, every.forms.size);
      }),
      { numRuns: 400, seed: 764 },
    );
  });

test("a step that clashes with another only without the one it raced with comes on both sides of it", () => {
  const program: Compound = {
    operations: 2,
    started: [],
    tasks: [
      [
        add(["x", (r) => r.a], 1, "a"),
        store(["x", (r) => r.a], (r) => r.a + 1),
        add(["x", (r) => r.a], 1, "a"),
      ],
      [load(["x", (r) => r.a], "a"), add(["x", (r) => r.a], 1, "a")],
      [load(["x", 0], "a"), store(["x", 2], (r) => r.a + 1), add(["x", 1], 1, "a")],
    ],
  };
  for (const [name, Reduction] of reductions) {
    const reduced = new Reduction({});
    explore(program, reduced);
    assert.equal(reduced.statistics.complete, 17, name);
  }
});

function sorted<T>(items: Iterable<T>): T[] {
  return [...items].sort();
}
