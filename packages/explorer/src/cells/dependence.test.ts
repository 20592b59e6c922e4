import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Dependence, type DependenceKind, dependenceKinds } from "../search/dependence.js";
import { OptimalDpor } from "../search/optimal-dpor.js";
import { type CellsProgram, defineCells, type FailingCounts } from "./define.js";
import { exploreCells } from "./explore.js";
import { CellMachine } from "./machine.js";
import { definitions } from "./programs.test.fixture.js";
import { type Row, rows } from "./published/rows.js";

test("two steps that don't depend on each other can be swapped in every state of random programs", () => {
  const dependence = new Dependence();
  let swapped = 0;
  fc.assert(
    fc.property(definitions, fc.array(fc.nat(), { maxLength: 12 }), fc.nat(), (definition, turns, pick) => {
      const machine = new CellMachine(defineCells(definition));
      const runnable: number[] = [];
      const canRun = (after: Int32Array, task: number): boolean => {
        machine.runnable(after, runnable);
        return runnable.includes(task);
      };
      const state = machine.initial();
      for (const [depth, turn] of turns.entries()) {
        machine.runnable(state, runnable);
        if (runnable.length < 2) break;
        const ready = [...runnable];
        const one = ready[pick % ready.length]!;
        for (const other of ready) {
          if (other === one) continue;
          const forth = state.slice();
          const back = state.slice();
          const first = [
            machine.step(forth, one, depth).footprint,
            machine.step(back, other, depth).footprint,
          ];
          if (dependence.clash(first[0]!, first[1]!)) continue;
          assert.ok(canRun(forth, other) && canRun(back, one), "one keeps the other from running");
          const second = [
            machine.step(back, one, depth + 1).footprint,
            machine.step(forth, other, depth + 1).footprint,
          ];
          assert.deepEqual(second, first, "touches something else after the other");
          assert.ok(machine.alike(forth, back), "ends in another state");
          swapped++;
        }
        machine.step(state, ready[turn % ready.length]!, depth);
      }
    }),
    { numRuns: 2000, seed: 1 },
  );
  assert.ok(swapped > 1000, `only ${swapped} pairs did not depend on each other`);
});

/** Rows that notice when a kind of dependence is forgotten. */
const noticed: Readonly<Record<DependenceKind, string>> = {
  "write-write": "2+2W",
  "read-write": "LB",
  "write-read": "MP",
  "lock-lock": "lockinc(2)",
  enabling: "probe, then interrupt",
};

for (const kind of dependenceKinds)
  test(`without ${kind} dependence the count of ${noticed[kind]} is wrong`, () => {
    assert.ok(counts(noticed[kind]));
    assert.ok(!counts(noticed[kind], (program) => program, new Dependence([kind])));
  });

const failing: readonly (readonly [string, "failingCompareAndSwap" | "failingTryLock", FailingCounts])[] = [
  ["cas(3)", "failingCompareAndSwap", "unseen"],
  ["cas(3)", "failingCompareAndSwap", "ordered"],
  ["mutex_trylock_unlock(3)", "failingTryLock", "unseen"],
  ["mutex_trylock_unlock(3)", "failingTryLock", "ordered"],
  ["mutex_trylock_unlock, a failing try is a write(3)", "failingTryLock", "read"],
];

for (const [name, what, as] of failing)
  test(`with ${what} as ${as} the count of ${name} is wrong`, () => {
    assert.ok(counts(name));
    assert.ok(!counts(name, (program) => ({ ...program, [what]: as })));
  });

/** Whether a row comes out as published. */
function counts(
  name: string,
  change: (program: CellsProgram) => CellsProgram = (program) => program,
  dependence = new Dependence(),
): boolean {
  const row = rows.find((row): row is Row => row.name === name);
  assert.ok(row, name);
  const report = exploreCells(change(row.program()), new OptimalDpor({ dependence }), { maxRuns: 100_000 });
  return report.traces === row.traces && report.abandoned === 0;
}
