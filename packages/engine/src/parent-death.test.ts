import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { noSlice } from "parhelion-protocol";
import { loadKoffi } from "./koffi.js";
import { createEngineLauncher } from "./launcher.js";

/** Starts an engine as the host does, and says its pid when it is ready. */
const parent = `
  const { spawn } = require("node:child_process");
  const { dirname } = require("node:path");
  const cwd = dirname(process.env.QUEUE);
  const stdio = ["ignore", "ignore", "inherit", "ipc"];
  const engine = spawn(process.execPath, [process.env.ENTRY], { cwd, stdio });
  engine.on("message", ({ op }) => console.log(op + " " + engine.pid));
  const start = { op: "start", queuePath: process.env.QUEUE, dawn: ["backend=null"], forceFallback: false };
  engine.send({ ...start, ...JSON.parse(process.env.SLICE) });
`;

/** A process that has ended and waits for its parent to notice counts as ended. */
function isAlive(pid: number): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "latin1"));
  } catch {
    return false;
  }
}

const skip =
  process.platform !== "linux" || (await loadKoffi()) === undefined ? "needs Linux and koffi" : false;

test("an engine that hangs goes with a host that is killed", { timeout: 300_000, skip }, async () => {
  const directory = await mkdtemp(join(tmpdir(), "ph-"));
  const environment = {
    ...process.env,
    ENTRY: createEngineLauncher().entry,
    QUEUE: join(directory, "q"),
    SLICE: JSON.stringify(noSlice),
  };
  const host = spawn(process.execPath, ["-e", parent], {
    stdio: ["ignore", "pipe", "inherit"],
    env: environment,
  });
  try {
    const said = await new Promise<string>((resolve) =>
      createInterface({ input: host.stdout }).once("line", resolve),
    );
    assert.match(said, /^ready \d+$/);
    const engine = Number(said.slice(6));
    // Nothing that it would do by itself can happen any more.
    process.kill(engine, "SIGSTOP");
    host.kill("SIGKILL");
    while (isAlive(engine)) await new Promise((resolve) => setTimeout(resolve, 5));
  } finally {
    host.kill("SIGKILL");
    await rm(directory, { recursive: true, force: true });
  }
});
