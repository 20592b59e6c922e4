import assert from "node:assert/strict";
import { test } from "node:test";
import { createRuntime, type LogRecord } from "parhelion-core";
import { LogThrottle } from "./log-throttle.js";

test("a flood of warnings is a few of them, and then their number", () => {
  const records: LogRecord[] = [];
  let now = 0;
  const clock = { now: () => now, setTimer: () => ({ cancel: () => undefined }) };
  const throttle = new LogThrottle(createRuntime({ clock, log: (record) => records.push(record) }));
  for (let i = 0; i < 1000; i++) throttle.warn("refused", { i });
  assert.equal(records.length, 1000);
  const warnings = () => records.filter(({ level }) => level === "warn");
  assert.equal(warnings().length, 10);
  now = 60_000;
  throttle.warn("refused", {});
  throttle.warn("refused", {});
  assert.deepEqual(
    warnings()
      .slice(10)
      .map(({ fields }) => fields),
    [{ suppressed: 990 }, {}],
  );
});
