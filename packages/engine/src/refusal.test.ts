import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultEngineQuota, parseFromEngine } from "parhelion-protocol";
import { checkRequiredLimits } from "./accounting/required-limits.js";
import { refusalCodes } from "./error-codes.js";
import { defaultLimits, type EngineLimits } from "./limits.js";
import { limitRefusal, Refusal, type RefusalCode, refusalOf } from "./refusal.js";

const rules = Object.keys(defaultLimits) as (keyof EngineLimits)[];
const codes = Object.keys(refusalCodes) as RefusalCode[];

test("a refusal because of a limit tells the host code, slice, rule, limit, used, wanted and what to do", () => {
  for (const rule of rules) {
    const refusal = refusalOf(limitRefusal("too-many-devices", defaultLimits, rule, 7, "things"), "a-uuid");
    const { message, remedy, ...data } = refusal;
    assert.deepEqual(data, {
      name: "OperationError",
      code: "too-many-devices",
      slice: "a-uuid",
      rule,
      limit: defaultLimits[rule],
      used: 7,
      wanted: 1,
    });
    assert.ok(remedy !== undefined && remedy !== "");
    for (const part of [rule, String(defaultLimits[rule]), "7 things", remedy])
      assert.ok(message.includes(part), message);
    const sent = { op: "refused", id: 1, refusal } as const;
    assert.deepEqual(parseFromEngine(structuredClone(sent)), sent);
  }
});

test("every other refusal tells its code and its exception", () => {
  for (const code of codes)
    assert.deepEqual(refusalOf(new Refusal(code, "why", "TypeError"), "a-uuid"), {
      name: "TypeError",
      message: "why",
      code,
    });
  assert.deepEqual(refusalOf(new Error("why")), { name: "OperationError", message: "why" });
});

test("a device that requires more than the slice has is refused with what it may have", () => {
  const quota = { ...defaultEngineQuota, limitBytes: 2 ** 20 };
  assert.throws(
    () => checkRequiredLimits({ maxBufferSize: 2 ** 30 }, quota),
    (error) => {
      const { code, slice, rule, limit, used, wanted, remedy } = refusalOf(error, "a-uuid");
      assert.deepEqual(
        [code, slice, rule, used, wanted],
        ["limit-exceeded", "a-uuid", "requiredLimits.maxBufferSize", 0, 2 ** 30],
      );
      assert.ok(limit !== undefined && limit < 2 ** 30);
      assert.ok(remedy !== undefined && remedy !== "");
      return true;
    },
  );
});
