import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { once } from "node:events";
import { it } from "node:test";
import { fileURLToPath } from "node:url";
import { expectedSquares } from "./compute.test.support.js";
import { prepareSoftwareAdapter } from "./software-adapter.js";

it("an engine in process computes", { timeout: 300_000 }, async () => {
  const { env } = await prepareSoftwareAdapter();
  const entry = fileURLToPath(new URL("./in-process-compute.test.child.js", import.meta.url));
  const child = fork(entry, { env: { ...process.env, ...env }, execArgv: [] });
  const exited = once(child, "exit");
  const [squares] = (await once(child, "message")) as [number[]];
  assert.deepEqual(squares, [...expectedSquares(300)]);
  child.disconnect();
  assert.deepEqual(await exited, [0, null]);
});
