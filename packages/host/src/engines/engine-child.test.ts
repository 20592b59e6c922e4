import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

test("a host without file descriptors fails to start an engine, and lives on", {
  timeout: 300_000,
}, async () => {
  const child = fileURLToPath(new URL("exhausted.test.child.js", import.meta.url));
  const { stdout } = await promisify(execFile)("/bin/sh", [
    "-c",
    'ulimit -n 256 && exec "$0" "$1"',
    process.execPath,
    child,
  ]);
  assert.match(stdout, /EMFILE/);
});
