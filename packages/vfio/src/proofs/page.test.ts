/** The page that says what has been proved says what is. With PARHELION_PROOFS=deep it is written. */
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { test } from "node:test";
import { proofDepth, proofTable, withPart } from "parhelion-explorer";
import { proofs } from "./list.test.fixture.js";

const page = new URL("../../../../docs/vfio-drivers.md", import.meta.url);

test("docs/vfio-drivers.md names the proofs, how far they go, and the mistakes that they find", async () => {
  const text = await readFile(page, "utf8");
  const right = withPart(text, "proofs", proofTable(proofs));
  if (proofDepth(process.env) === "deep") await writeFile(page, right);
  else assert.equal(text, right, "run this test with PARHELION_PROOFS=deep to have the page written");
});
