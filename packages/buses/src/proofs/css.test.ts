import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { declareProofs, proofDepth, proofTable, withPart } from "parhelion-explorer";
import { proofs } from "./css-list.test.fixture.js";

declareProofs(test, proofs, proofDepth(process.env));

test("docs/ccw.md says what is proved of the bus", () => {
  const page = new URL("../../../../docs/ccw.md", import.meta.url);
  const is = readFileSync(page, "utf8");
  const should = withPart(is, "proofs of the bus", proofTable(proofs));
  if (is === should) return;
  writeFileSync(page, should);
  assert.fail("docs/ccw.md was out of date; it is not any more: look at the difference and commit it");
});
