import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { declareProofs, proofDepth, proofTable, scheduleTable, withPart } from "parhelion-explorer";
import { proofs as machineProofs } from "../subsystem/proofs/list.test.fixture.js";
import { proofs } from "./list.test.fixture.js";

const page = new URL("../../../../docs/ccw.md", import.meta.url);
const depth = proofDepth(process.env);

declareProofs(test, proofs, depth);

test("docs/ccw.md says what is proved of the drivers", () => {
  keep("proofs of the drivers", proofTable(proofs));
});

test("docs/ccw.md says what is proved of the machine's subchannels", () => {
  keep("proofs of the machine", proofTable(machineProofs));
});

test("every question that the thread has asked is asked of the drivers", () => {
  const threads = readFileSync(new URL("threads.md", page), "utf8");
  const asked = [...threads.matchAll(/^### (H\d+|D5\.\d+) /gm)].map(([, id = ""]) => id);
  assert.ok(asked.length >= 24, `only ${asked.length} questions were found`);
  const answered = new Set(
    proofs.flatMap(({ program }) => program.name.match(/\b(?:H\d+|D5\.\d+)\b/g) ?? []),
  );
  assert.deepEqual(
    asked.filter((id) => !answered.has(id)),
    [],
  );
});

/** Not with every change of what the drivers stand on, which makes other schedules the shortest. */
test("docs/ccw.md has the schedules of the mistakes", { skip: depth !== "deep" }, async () => {
  keep("schedules", await scheduleTable([...proofs, ...machineProofs]));
});

function keep(part: string, text: string): void {
  const is = readFileSync(page, "utf8");
  const should = withPart(is, part, text);
  if (is === should) return;
  writeFileSync(page, should);
  assert.fail("docs/ccw.md was out of date; it is not any more: look at the difference and commit it");
}
