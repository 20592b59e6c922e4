import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { declareProofs, proofDepth, proofTable, scheduleTable, withPart } from "parhelion-explorer";
import { proofs } from "./css-list.test.fixture.js";

const depth = proofDepth(process.env);

declareProofs(test, proofs, depth);

test("docs/ccw.md says what is proved of the bus", () => {
  keep("proofs of the bus", proofTable(proofs));
});

/** Not with every change of what the bus stands on, which makes other schedules the shortest. */
test("docs/ccw.md has the schedules of the bus's mistakes", { skip: depth !== "deep" }, async () => {
  keep("schedules of the bus", await scheduleTable(proofs));
});

function keep(part: string, text: string): void {
  const page = new URL("../../../../docs/ccw.md", import.meta.url);
  const is = readFileSync(page, "utf8");
  const should = withPart(is, part, text);
  if (is === should) return;
  writeFileSync(page, should);
  assert.fail("docs/ccw.md was out of date; it is not any more: look at the difference and commit it");
}
