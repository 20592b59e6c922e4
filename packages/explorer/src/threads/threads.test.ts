import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { replay } from "../replay.js";
import { renderText } from "../report/text.js";
import { type Thread, threads } from "./all.js";
import { renderThreads } from "./markdown.js";
import { type Decided, decide } from "./verdicts.js";

const page = new URL("../../../../docs/threads.md", import.meta.url);

test("every question is decided as its text says, and docs/threads.md says the same", async (t) => {
  const decided: Decided[] = [];
  for (const { name, disputes } of threads) {
    for (const dispute of disputes) {
      await t.test(`${name} ${dispute.id}: ${dispute.title}`, async () => {
        const own = await decide([dispute]);
        decided.push(...own);
        for (const { variant, surprise } of own) assert.equal(surprise, null, variant.name);
      });
    }
  }
  const schedules = new Map<Thread, string>();
  for (const thread of threads) schedules.set(thread, await scheduleOf(thread, decided));
  const text = renderThreads(threads, decided, schedules);
  const written = read();
  if (written === text) return;
  writeFileSync(page, text);
  assert.fail(
    "docs/threads.md was not what the explorer finds; it is now: look at the difference and commit it",
  );
});

async function scheduleOf({ shown }: Thread, decided: readonly Decided[]): Promise<string> {
  const variants = decided.filter(({ dispute }) => dispute.id === shown.dispute);
  const { variant, result } = variants[shown.variant] as Decided;
  assert.ok(result.failure !== null, `${shown.dispute} is not broken in its variant ${shown.variant}`);
  return renderText(await replay(variant.program, result.failure.schedule, variant.options ?? {}));
}

function read(): string {
  try {
    return readFileSync(page, "utf8");
  } catch {
    return "";
  }
}
