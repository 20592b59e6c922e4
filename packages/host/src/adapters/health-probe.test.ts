import assert from "node:assert/strict";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createRuntime } from "parhelion-core";
import { defaultEngineDeadlines } from "../engines/engine-process.js";
import { engineChoice } from "../engines/launcher.js";
import { EngineSpawner } from "../engines/spawn-engine.js";
import { defaultLimits } from "../limits.js";
import { healthProbe } from "./health-probe.js";

/** Ends a test that hangs; no test comes near it. */
const limit = { timeout: 300_000 };

const entry = new URL("../engines/scripted-engine.test.fixture.js", import.meta.url).pathname;
const choice = engineChoice("null");

/** Engines that behave so, and what the probe leaves behind: nothing. */
async function probing(
  behaviour: string,
  run: (probe: (ended: AbortSignal) => Promise<void>, spawner: EngineSpawner) => Promise<void>,
): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "php-"));
  const spawner = new EngineSpawner({
    launcher: { entry, environmentFor: async () => ({ BEHAVIOUR: behaviour }) },
    runtime: createRuntime(),
    limits: defaultLimits,
    deadlines: { ...defaultEngineDeadlines, stopMs: 100 },
  });
  try {
    const probe = healthProbe(spawner, directory);
    await run((ended) => probe(choice, ended), spawner);
    assert.deepEqual(await readdir(directory), []);
  } finally {
    await spawner.close("the test is over");
    await rm(directory, { recursive: true });
  }
}

test("an engine that starts and makes a device passes", limit, () =>
  probing("good", (probe) => probe(new AbortController().signal)),
);

test("one that dies, or says that it can't, does not, and its words are the reason", limit, async () => {
  const { signal } = new AbortController();
  await probing("exit-at-once", (probe) => assert.rejects(probe(signal), /cannot find a driver/));
  await probing("failed", (probe) => assert.rejects(probe(signal), /no adapter at all/));
});

test("nothing is waited for any more when nobody wants to know", limit, () =>
  probing("silent", async (probe) => {
    const ended = new AbortController();
    const probed = probe(ended.signal);
    ended.abort();
    await assert.rejects(probed, /nobody wants to know any more/);
    await assert.rejects(probe(ended.signal), /nobody wants to know any more/);
  }),
);

test("a host that stops has no engine left for it", limit, () =>
  probing("good", async (probe, spawner) => {
    await spawner.close("the host stops");
    await assert.rejects(probe(new AbortController().signal), /the host has stopped/);
  }),
);
