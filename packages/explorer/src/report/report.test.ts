import assert from "node:assert/strict";
import { test } from "node:test";
import { check } from "../check.js";
import { planted } from "../detect/planted.test.fixture.js";
import type { Program } from "../program.js";
import { counters } from "../programs.test.fixture.js";
import { replay } from "../replay.js";
import { renderHtml } from "./html.js";
import type { Recording } from "./recording.js";
import { renderText } from "./text.js";

async function failing(program: Program): Promise<Recording> {
  const rules = { maxSteps: 200 };
  const { failure } = await check(program, rules);
  return replay(program, failure?.schedule ?? "", rules);
}

const opposite: Program = {
  name: "<opposite & locks>",
  setup: (world) => void planted.find(({ finds }) => finds === "deadlock")?.setup(world, "with the bug"),
};

test("as text: a column for each task, what each step did, which steps clash, and the schedule", async () => {
  assert.equal(
    renderText(await failing(opposite), { width: 80 }),
    `<opposite & locks>: deadlock in step 5
  x wants B since step 5, which y holds since step 3; y wants A since step 4,
  which x holds since step 1

  step  x                                   y
     0  start
     1  mutex.lock A: takes A
     2                                      start
     3                                      mutex.lock B: takes B
   ! 4                                      mutex.lock A: holds B; sleeps
   ! 5  mutex.lock B: holds A; sleeps

The steps marked ! clash: 4 and 5.
Schedule: a2b3a
`,
  );
});

test("as text: long runs show their end, and narrow columns wrap", async () => {
  const text = renderText(await failing(counters(2, "unlocked")), { width: 20, steps: 2 });
  assert.match(text, /\(steps 0 to 2 are left out\)/);
  assert.ok(text.split("\n").every((line) => line.length <= 8 + 2 * 22));
});

test("a run without a failure says so", async () => {
  const recording = await replay(counters(2, "locked"), "");
  assert.match(renderText(recording), /^2 counters, locked: nothing failed in this run\n/);
  assert.match(renderHtml(recording), /<h1 class="passed">Nothing failed/);
});

test("as a page: every step is drawn and explained, what clashes is red, and nothing comes from elsewhere", async () => {
  const page = renderHtml(await failing(opposite));
  assert.equal(page.match(/<g class="step/g)?.length, 6);
  assert.equal(page.match(/<g class="step clash"/g)?.length, 2);
  assert.equal(page.match(/<rect class="lock lock\d"/g)?.length, 2);
  assert.equal(page.match(/class="against"/g)?.length, 1);
  assert.match(page, /prefers-color-scheme: dark/);
  assert.doesNotMatch(page, /<script|src=|href=|url\((?!#)|@import|<opposite/);
});

test("as a page: starts, wake-ups and locks passed on are arrows", async () => {
  const program: Program = {
    name: "handing on",
    setup(world) {
      const first = planted.find(({ name }) => name.startsWith("a lock is held"));
      first?.setup(world, "mended");
      world.runtime.scheduler.spawn("idle", () => Promise.resolve());
      world.task("starter", async () => world.runtime.scheduler.spawn("child", () => Promise.resolve()));
    },
  };
  const page = renderHtml(await replay(program, "bbaaaa"));
  for (const kind of ["start", "wake", "pass"]) assert.match(page, new RegExp(`class="arrow ${kind}"`), kind);
});

test("pages are well-formed whatever the names are", async () => {
  for (const bug of planted) {
    if (bug.finds === "uncontrolled") continue;
    const page = renderHtml(
      await failing({ name: `"${bug.name}" <b>'`, setup: (world) => void bug.setup(world, "with the bug") }),
    );
    const open: string[] = [];
    for (const [, close, tag = "", rest = ""] of page.matchAll(/<(\/?)([a-z0-9]+)([^<>]*)>/g)) {
      if (["meta", "html"].includes(tag) || rest.endsWith("/")) continue;
      if (close === "/") assert.equal(open.pop(), tag, bug.name);
      else open.push(tag);
    }
    assert.deepEqual(open, []);
  }
});
