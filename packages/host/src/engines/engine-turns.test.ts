/** Engines that share an adapter, as processes: stopped and continued for real. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { createRuntime } from "parhelion-core";
import { noSlice } from "parhelion-protocol";
import { AdapterTime } from "../time/adapter-time.js";
import { pausingPolicy } from "../time/time-policy.js";
import type { TimeShare } from "../time/time-share.js";
import { defaultEngineDeadlines, EngineProcess } from "./engine-process.js";

const limit = { timeout: 300_000 };
const entry = new URL("./scripted-engine.test.fixture.js", import.meta.url).pathname;
const terms = { share: 0, weight: 1, cap: 1 };

interface Rig {
  readonly time: AdapterTime;
  start(slice: string, behaviour?: string): Promise<{ engine: EngineProcess; share: TimeShare }>;
}

/** Turns that never end by time: what pauses is what the test does. */
function rig(): Rig {
  const runtime = createRuntime();
  const policy = { ...pausingPolicy, quantumMs: 1e9, leastRunMs: 0, recallMs: 0 };
  const time = new AdapterTime(runtime, "adapter", policy);
  return {
    time,
    async start(slice, behaviour = "greedy") {
      const share = time.open(slice, terms);
      const engine = new EngineProcess({
        entry,
        nodeFlags: [],
        environment: { BEHAVIOUR: behaviour },
        start: { queuePath: "/unused", dawn: [], forceFallback: false, ...noSlice, time: "leased" },
        deadlines: defaultEngineDeadlines,
        runtime,
        name: `engine of ${slice}`,
        time: share,
        onOutput: () => undefined,
        onDeviceLost: () => undefined,
      });
      await engine.whenReady();
      return { engine, share };
    },
  };
}

function processState(pid: number | undefined): string {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  return stat.slice(stat.lastIndexOf(")") + 2, stat.lastIndexOf(")") + 3);
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1));
}

test(
  "an engine whose turn is over is stopped, and what is asked of it waits for its next turn",
  limit,
  async () => {
    const { start } = rig();
    const first = await start("first");
    await until(() => first.share.status.state === "running");
    const second = await start("second");
    await until(() => first.share.status.state === "paused");
    await until(() => processState(first.engine.pid) === "T");
    const asked = first.engine.statistics();
    const exit = second.engine.stop("the test is over");
    assert.equal((await asked).devices, 0);
    await exit;
    assert.equal(first.share.status.state, "running");
    await first.engine.stop("the test is over");
    assert.equal(first.share.status.state, "absent");
  },
);

test("an engine that is paused can be killed, and stopped in order", limit, async () => {
  for (const end of ["kill", "stop"] as const) {
    const { start } = rig();
    const first = await start("first");
    await until(() => first.share.status.state === "running");
    const second = await start("second");
    await until(() => first.share.status.state === "paused");
    if (end === "kill") first.engine.kill("a test");
    else await first.engine.stop("a test");
    const { exitCode, signal } = await first.engine.whenExited();
    assert.deepEqual([exitCode, signal], end === "kill" ? [null, "SIGKILL"] : [0, null]);
    assert.equal(second.share.status.state, "running");
    await second.engine.stop("the test is over");
  }
});
