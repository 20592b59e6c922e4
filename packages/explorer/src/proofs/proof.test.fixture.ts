/** Runs code that ships in every order, and says so if one of them breaks it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type CheckOptions, check } from "../check.js";
import type { Program } from "../program.js";

/** A test that the program is safe in all of its orders: a search that was cut short does not pass. */
export function prove(program: Program, options: Partial<CheckOptions> = {}): void {
  void test(program.name, async (t) => {
    const result = await check(program, options);
    t.diagnostic(`${result.runs} orders`);
    assert.equal(result.failure, null);
    assert.equal(result.verdict, "safe");
  });
}
