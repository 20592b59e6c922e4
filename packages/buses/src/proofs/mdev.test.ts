import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { declareProofs, proofDepth, proofTable, withPart } from "parhelion-explorer";
import { proofs } from "./mdev-list.test.fixture.js";

declareProofs(test, proofs, proofDepth(process.env));

test("docs/vfio-drivers.md says what is proved of the mdev bus", () => {
  const page = new URL("../../../../docs/vfio-drivers.md", import.meta.url);
  const is = readFileSync(page, "utf8");
  const should = withPart(is, "proofs of the mdev bus", proofTable(proofs));
  if (is === should) return;
  writeFileSync(page, should);
  assert.fail(
    "docs/vfio-drivers.md was out of date; it is not any more: look at the difference and commit it",
  );
});
