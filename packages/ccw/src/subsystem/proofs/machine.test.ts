import assert from "node:assert/strict";
import { test } from "node:test";
import { audit, declareProofs } from "parhelion-explorer";
import { proofs } from "./list.test.fixture.js";

declareProofs(test, proofs);

for (const { program } of proofs) {
  test(`${program.name}: what its tasks share is declared`, async () => {
    const { undeclared } = await audit(program, { pairs: 60 });
    assert.equal(undeclared, null, undeclared?.message);
  });
}
