import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { systemClock } from "parhelion-core";
import { engineMark, killLeftoverEngines, markOf } from "./leftover-engines.js";

/** Ends a test that hangs; no test comes near it. */
const limit = { timeout: 300_000 };

/** A process that says when it is there, and never ends by itself. */
async function idle(environment: NodeJS.ProcessEnv, ...words: readonly string[]): Promise<ChildProcess> {
  const child = spawn(process.execPath, ["-e", 'console.log("up"); setInterval(() => {}, 1000)', ...words], {
    stdio: ["ignore", "pipe", "ignore"],
    env: { ...process.env, ...environment },
  });
  await once(child.stdout as NodeJS.ReadableStream, "data");
  return child;
}

test("engines of this state directory are killed, stopped ones too, and nobody else", {
  ...limit,
  skip: process.platform !== "linux",
}, async () => {
  const directory = await mkdtemp(join(tmpdir(), "ph-left-"));
  await symlink(directory, `${directory}-link`);
  const mark = await markOf(directory);
  assert.equal(await markOf(`${directory}-link/`), mark);
  const children = [
    await idle({ [engineMark]: mark }),
    await idle({}, `${engineMark}=${mark}`),
    await idle({ [engineMark]: `${mark}0` }),
    await idle({ OTHER: mark }),
  ];
  try {
    const [first, second, ...others] = children as [ChildProcess, ChildProcess];
    const ended = [once(first, "exit"), once(second, "exit")];
    second.kill("SIGSTOP");
    const { killed, staying } = await killLeftoverEngines(mark, systemClock);
    assert.deepEqual([...killed].sort(), [first.pid, second.pid].sort());
    assert.deepEqual(staying, []);
    for (const [, signal] of await Promise.all(ended)) assert.equal(signal, "SIGKILL");
    for (const other of others as ChildProcess[]) assert.equal(other.exitCode ?? other.signalCode, null);
    assert.deepEqual(await killLeftoverEngines(mark, systemClock), { killed: [], staying: [] });
  } finally {
    for (const child of children) child.kill("SIGKILL");
    await rm(`${directory}-link`);
    await rm(directory, { recursive: true });
  }
});
