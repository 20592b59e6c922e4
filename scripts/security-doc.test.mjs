// The tests that docs/security.md names for its promises are there.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { root } from "./setup.mjs";

const promises = readFileSync(join(root, "docs", "security.md"), "utf8")
  .split("\n")
  .filter((line) => /^\| \d+ \|/.test(line));

test("every promise about security names tests, and they exist", () => {
  assert.ok(promises.length >= 10);
  for (const promise of promises) {
    const named = [...promise.matchAll(/`([^`]+\.test\.(?:ts|mjs))`/g)].map(([, path]) => path);
    assert.ok(named.length > 0, `no test: ${promise}`);
    for (const path of named) assert.ok(existsSync(join(root, path)), `${path} does not exist`);
  }
});
