import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { EventOpcode, Opcode } from "./generated/numbers.js";
import { type Golden, readGolden, replayGolden } from "./golden.test.fixture.js";

const first = JSON.parse(
  readFileSync(new URL("../../golden/webgpu-1.golden.json", import.meta.url), "utf8"),
) as Golden;

const opcodesOf = (records: readonly string[]): Set<number> =>
  new Set(records.map((record) => Buffer.from(record, "hex").readUInt16LE(4)));

test("the first protocol's commands still lead to the same calls", () => {
  assert.deepEqual(replayGolden(first.commands), first.calls);
});

test("the first protocol's events still reach the same handlers", () => {
  assert.deepEqual(readGolden(first.events), first.eventCalls);
});

// Commands that came later are in later recordings.
const LAST_FIRST_OPCODE = Opcode.setLabel;

test("the recording has every command and event of the first protocol", () => {
  const commands = opcodesOf(first.commands);
  for (const [name, opcode] of Object.entries(Opcode)) {
    if (opcode !== Opcode.padding && opcode <= LAST_FIRST_OPCODE) assert.ok(commands.has(opcode), name);
  }
  const events = opcodesOf(first.events);
  for (const [name, opcode] of Object.entries(EventOpcode)) {
    if (opcode !== EventOpcode.padding && opcode <= EventOpcode.deviceLost)
      assert.ok(events.has(opcode), name);
  }
});
