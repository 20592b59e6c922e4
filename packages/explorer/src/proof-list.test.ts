import assert from "node:assert/strict";
import { test } from "node:test";
import type { Program } from "./program.js";
import { declareProofs, type Proof, proofDepth, proofTable, scheduleTable, withPart } from "./proof-list.js";

/** Two add one, in one step or in two. */
const adding = (how: "in one step" | "in two"): Program<{ value: number }> => ({
  name: `two add, ${how}`,
  setup(world) {
    const sum = world.share("sum", { value: 0 });
    for (const name of ["one", "other"]) {
      world.task(name, async () => {
        const { value } = sum;
        if (how === "in two") await world.point();
        sum.value = value + 1;
      });
    }
    return sum;
  },
  async after({ value }, world) {
    world.expect(value === 2, `it is ${value}`);
  },
});

const proof: Proof = {
  program: adding("in one step"),
  deep: ["optimal", { random: { runs: 3, seed: 1 } }],
  mistakes: [{ mistake: "reads, then writes", program: adding("in two"), finds: "expectation" }],
};

type Declared = [string, (context: object) => Promise<void>];

function declared(proofs: readonly Proof[], depth?: "deep"): Declared[] {
  const tests: Declared[] = [];
  declareProofs((name, run) => tests.push([name, run]), proofs, depth);
  return tests;
}

test("a proof is a test for each of its bounds and each of its mistakes", async () => {
  const usual = declared([proof]);
  assert.deepEqual(
    usual.map(([name]) => name),
    ["two add, in one step", "two add, in two is found"],
  );
  for (const [, run] of usual) await run({});
  assert.deepEqual(
    declared([proof], "deep").map(([name]) => name),
    ["two add, in one step", "two add, in one step [3 random runs from seed 1]", "two add, in two is found"],
  );
});

test("a mistake that is not found fails, and so does one that is found as something else", async () => {
  const [, none] = declared([
    { ...proof, mistakes: [{ mistake: "", program: adding("in one step"), finds: "leak" }] },
  ]);
  await assert.rejects(
    none?.[1]({}) ?? Promise.resolve(),
    /leak was to be found; nothing is found in \d+ runs/,
  );
  const [, other] = declared([
    { ...proof, mistakes: [{ mistake: "", program: adding("in two"), finds: "leak" }] },
  ]);
  await assert.rejects(other?.[1]({}) ?? Promise.resolve(), /leak was to be found; expectation: it is 1/);
});

test("a proof that nothing breaks must say why", () => {
  assert.throws(() => declared([{ program: adding("in one step"), mistakes: [] }]), TypeError);
  assert.equal(declared([{ program: adding("in one step"), mistakes: [], unbroken: "why" }]).length, 1);
});

test("the tables say what was looked at, and which schedule breaks it", async () => {
  assert.equal(
    proofTable([proof]),
    [
      "| program | orders | mistakes that are found |",
      "| --- | --- | --- |",
      "| two add, in one step | every order (deep: every order; 3 random runs from seed 1) | reads, then writes: expectation |",
    ].join("\n"),
  );
  assert.equal(
    await scheduleTable([proof]),
    [
      "| program | found | runs | steps | schedule |",
      "| --- | --- | --- | --- | --- |",
      "| two add, in two | expectation: it is 1 | 2 | 4 | `ab2a` |",
    ].join("\n"),
  );
});

test("a part of a page is replaced, and nothing else", () => {
  const page = "a\n<!-- x -->\nold\n<!-- /x -->\nb\n";
  assert.equal(withPart(page, "x", "new"), "a\n<!-- x -->\n\nnew\n\n<!-- /x -->\nb\n");
  assert.equal(withPart(withPart(page, "x", "new"), "x", "new"), withPart(page, "x", "new"));
  assert.throws(() => withPart(page, "y", "new"), /no part/);
});

test("deep is asked for in the environment", () => {
  assert.equal(proofDepth({}), "usual");
  assert.equal(proofDepth({ PARHELION_PROOFS: "deep" }), "deep");
});
