import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Bounded } from "../search/bounded.js";
import { EverySchedule } from "../search/every-schedule.js";
import { OptimalDpor } from "../search/optimal-dpor.js";
import { SleepSets } from "../search/sleep-sets.js";
import { SourceDpor } from "../search/source-dpor.js";
import type { Strategy } from "../search/strategy.js";
import { type CellsReport, exploreCells } from "./explore.js";
import { lastZero, pointing } from "./published/arrays.js";
import { readers } from "./published/counters.js";
import { type Row, rows } from "./published/rows.js";

/** Too many runs for the time of a test, though not for a search with wakeup trees. */
const tooMany = {
  source: /^(lastzero\(1[25]\)|pointing\(16\))$/,
  every:
    /^(indexer|filesystem|pointing\((5|10)\)|philosophers, left then right\(4\)|philosophers, ordered\(4\))/,
  sleep: /^(readers\(13\)|lastzero\(1[025]\)|indexer|filesystem|fib_bench\(5\)|pointing\(1[06]\))/,
};

describe("wakeup trees run each trace of published programs once, and nothing else", () => {
  for (const row of rows)
    test(`${row.name}: ${row.traces}`, () => {
      const report = explore(row, new OptimalDpor());
      check(row, report);
      assert.equal(report.abandoned, 0);
      assert.equal(report.runs, report.traces);
    });
});

describe("source sets complete each trace of published programs once", () => {
  for (const row of rows.filter(({ name }) => !tooMany.source.test(name)))
    test(`${row.name}: ${row.traces}`, () => check(row, explore(row, new SourceDpor())));
});

describe("sleep sets complete each trace of published programs once", () => {
  for (const row of rows.filter(({ name }) => !tooMany.sleep.test(name)))
    test(`${row.name}: ${row.traces}`, () => check(row, explore(row, new SleepSets())));
});

describe("every schedule of small published programs falls into as many traces", () => {
  for (const row of rows.filter(({ name, traces }) => traces <= 24 && !tooMany.every.test(name)))
    test(`${row.name}: ${row.traces}`, () => check(row, explore(row, new EverySchedule())));
});

describe("bounded searches see just the traces with a schedule of so many preemptions", () => {
  for (const row of rows) {
    for (const bound of row.bounded === undefined ? [] : [...row.bounded.keys(), row.bounded.length]) {
      const traces = row.bounded?.[bound] ?? row.traces;
      test(`${row.name}, ${bound} preemptions: ${traces}`, () => {
        const report = explore(row, new Bounded(bound));
        assert.equal(counted(row, report), traces);
        if (traces < row.traces) assert.equal(report.verdict, "unknown");
      });
    }
  }
});

describe("what reduction is worth", () => {
  test("readers(8): 256 runs instead of 3,281", () => {
    assert.equal(exploreCells(readers(8), new SourceDpor()).runs, 256);
    assert.equal(exploreCells(readers(8), new SleepSets()).runs, 3281);
  });

  test("lastzero(10): 16,867 runs in vain with source sets, none with wakeup trees", () => {
    assert.equal(exploreCells(lastZero(10), new SourceDpor()).abandoned, 16_867);
    assert.equal(exploreCells(lastZero(10), new OptimalDpor()).abandoned, 0);
  });

  test("pointing: runs stay linear with wakeup trees, and double with each task with source sets", () => {
    const source = [6, 7, 8].map((n) => exploreCells(pointing(n), new SourceDpor()).runs);
    assert.ok(source[1]! > 1.9 * source[0]! && source[2]! > 1.9 * source[1]!, source.join());
    for (const n of [6, 12, 24, 48]) assert.equal(exploreCells(pointing(n), new OptimalDpor()).runs, 2 * n);
  });
});

function explore(row: Row, strategy: Strategy): CellsReport {
  return exploreCells(row.program(), strategy, { afterFailure: "go on" });
}

function counted(row: Row, report: CellsReport): number {
  return row.counted === "without deadlock" ? report.traces - report.deadlocked : report.traces;
}

function check(row: Row, report: CellsReport): void {
  assert.equal(counted(row, report), row.traces);
  if (row.counted !== "without deadlock") assert.equal(report.deadlocked, row.deadlocked ?? 0);
  assert.equal(report.verdict, row.fails === true ? "unsafe" : "safe");
}
