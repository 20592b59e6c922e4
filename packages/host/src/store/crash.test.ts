import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { createRuntime } from "parhelion-core";
import { changeNumber } from "./changing-child.test.support.js";
import { openMemoryStore, openStore } from "./open-store.js";
import { contentOf, inStateDirectory, uuidOf } from "./store.test.fixture.js";

/** How often the process is killed; STORE_KILLS=200 for a night's rest, STORE_SEED for another night. */
const kills = Number(process.env["STORE_KILLS"] ?? 4);
const seed = Number(process.env["STORE_SEED"] ?? 1);

/** Ends a test that hangs; no test comes near it. */
const limit = { timeout: 300_000 + kills * 2000 };

const child = new URL("./changing-child.test.support.js", import.meta.url).pathname;

/** The same numbers for the same seed: an LCG of Numerical Recipes, its upper bits. */
function* numbers(from: number): Generator<number> {
  for (let state = from >>> 0; ; ) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    yield state >>> 8;
  }
}

/** Starts the process at change `first` and kills it after so many acknowledgements and so long. @returns the last acknowledged */
async function killed(directory: string, first: number, after: number, waitMs: number): Promise<number> {
  const running = spawn(process.execPath, [child, directory, `${first}`], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, STORE_CHILD: "changes" },
  });
  const ended = once(running, "close");
  let last = first - 1;
  const kill = () => setTimeout(() => running.kill("SIGKILL"), waitMs);
  if (after === 0) kill();
  createInterface({ input: running.stdout }).on("line", (line) => {
    last = Number(line);
    if (last === first + after - 1) kill();
  });
  await ended;
  return last;
}

test("a host that is killed at any moment has kept what it acknowledged, and nothing half", limit, () =>
  inStateDirectory(async (directory) => {
    const random = numbers(seed);
    const next = (below: number) => (random.next().value as number) % below;
    const model = await openMemoryStore(createRuntime());
    let applied = 0;
    for (let kill = 0; kill < kills; kill++) {
      // Some while the store is being opened, some in the middle of writing.
      const after = next(4) === 0 ? 0 : next(30);
      const acknowledged = await killed(directory, applied + 1, after, next(after === 0 ? 150 : 4));
      const store = await openStore(createRuntime(), directory);
      const [kept] = store.slices.slice(-1).map(({ uuid }) => uuid);
      const reached = kept === undefined ? 0 : (Number.parseInt(kept.slice(-12), 16) - 1) / 2;
      const where = `kill ${kill}, acknowledged ${acknowledged}, kept ${reached}`;
      // The acknowledgement of the last one may not have come through.
      assert.ok(reached >= acknowledged, where);
      while (applied < reached) await model.change(changeNumber(++applied));
      assert.equal(contentOf(store), contentOf(model), where);
      assert.equal(await store.wasUsed(uuidOf(2 * reached + 2)), false, where);
      assert.equal(store.nextGeneration(), reached === 0 ? 1 : 2 * reached + 2, where);
      await store.close();
    }
    await model.close();
  }),
);

test(
  "where the system refuses in the middle of a write, changes are refused whole and the next ones are kept",
  limit,
  () =>
    inStateDirectory(async (home) => {
      // In units of 512 bytes, POSIX says; some shells take 1024.
      const limited = spawn(
        "sh",
        ["-c", 'ulimit -f 128 && exec "$0" "$@"', process.execPath, child, join(home, "s")],
        {
          stdio: ["ignore", "pipe", "inherit"],
          env: { ...process.env, STORE_CHILD: "limited" },
        },
      );
      let text = "";
      limited.stdout.on("data", (chunk) => {
        text += String(chunk);
      });
      const [code] = (await once(limited, "close")) as [number | null];
      assert.equal(code, 0);
      const { outcomes, same } = JSON.parse(text) as { outcomes: string[]; same: boolean };
      assert.equal(outcomes.length, 60);
      assert.deepEqual([...new Set(outcomes)].sort(), ["kept", "store-failed"]);
      for (let n = 5; n < 60; n += 10) assert.equal(outcomes[n], "store-failed", `${n}`);
      // The log, which ends at the limit, is begun anew after each refusal.
      assert.ok(outcomes.filter((outcome) => outcome === "kept").length > 40, outcomes.join());
      assert.equal(same, true);
    }),
);
