import assert from "node:assert/strict";
import { test } from "node:test";
import { exploreCells } from "../cells/explore.js";
import { readThenWrite } from "../cells/published/counters.js";
import { Delayed } from "./delayed.js";
import { EverySchedule } from "./every-schedule.js";

test("without a delay there is one schedule, and it is not all", () => {
  const search = new Delayed(0);
  assert.equal(exploreCells(readThenWrite(3), search).runs, 1);
  assert.equal(search.coverage, "bound");
});

test("more delays see more, and enough of them see everything", () => {
  const every = new EverySchedule({ remember: true });
  exploreCells(readThenWrite(3), every);
  let seen = 0;
  for (const bound of [0, 1, 2, 4, 8, 20]) {
    const search = new Delayed(bound, { remember: true });
    exploreCells(readThenWrite(3), search);
    assert.ok(search.forms.size >= seen, `${bound} delays`);
    for (const form of search.forms) assert.ok(every.forms.has(form));
    seen = search.forms.size;
    if (bound === 20) assert.equal(search.coverage, "everything");
  }
  assert.equal(seen, every.forms.size);
});

test("one delay costs about a run for each step, whatever the number of tasks", () => {
  for (const tasks of [2, 4, 8]) {
    const { runs } = exploreCells(readThenWrite(tasks), new Delayed(1));
    assert.ok(runs <= 2 * tasks + 1, `${runs} runs for ${2 * tasks} steps`);
  }
});

test("a bound that is no number of delays is refused", () => {
  assert.throws(() => new Delayed(-1), RangeError);
  assert.throws(() => new Delayed(0.5), RangeError);
});
