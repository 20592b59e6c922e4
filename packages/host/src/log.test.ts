import assert from "node:assert/strict";
import { test } from "node:test";
import { createPinoSink } from "./log.js";

test("records are JSON lines with level, event and fields, and secrets stay out", () => {
  const lines: string[] = [];
  const sink = createPinoSink({ level: "info", write: (line) => lines.push(line) });
  sink({ level: "debug", event: "not.wanted", fields: {} });
  sink({
    level: "warn",
    event: "engine.failed",
    fields: { slice: "s", credential: "abc", queue: { token: "def" }, error: new Error("why") },
  });
  assert.equal(lines.length, 1);
  const record = JSON.parse(lines[0] ?? "") as Record<string, unknown>;
  assert.equal(record["level"], "warn");
  assert.equal(record["event"], "engine.failed");
  assert.equal(record["slice"], "s");
  assert.equal((record["error"] as { message: string }).message, "why");
  assert.ok(!/abc|def/.test(lines[0] ?? ""));
});

test("without a level only what needs attention is written", () => {
  const lines: string[] = [];
  const sink = createPinoSink({ write: (line) => lines.push(line) });
  for (const level of ["debug", "info", "warn", "error"] as const) sink({ level, event: level, fields: {} });
  assert.deepEqual(
    lines.map((line) => (JSON.parse(line) as { event: string }).event),
    ["warn", "error"],
  );
});
