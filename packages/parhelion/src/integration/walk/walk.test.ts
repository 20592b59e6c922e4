import assert from "node:assert/strict";
import { test } from "node:test";
import { inDirectory } from "../world.test.fixture.js";
import { victims, WalkedWorld } from "./walked-world.test.fixture.js";

/** "all": everybody is killed at every step; else each step has one victim, and each victim every fourth step. */
const thorough = process.env["PARHELION_WALK"] === "all";

test(
  "whoever is killed, at whatever step of a session: the others settle, the next session is right, nothing is left",
  { timeout: 3_600_000 },
  () =>
    inDirectory(async (directory) => {
      const world = new WalkedWorld(directory);
      try {
        await world.open();
        const steps = [...new Set(await world.enumerate())];
        assert.ok(steps.length > 40, `only ${steps.length} steps were seen: ${steps.join(", ")}`);
        for (const [i, step] of steps.entries()) {
          const killed = thorough ? victims : victims.slice(i % victims.length, (i % victims.length) + 1);
          for (const victim of killed) await world.kill(victim, step);
        }
        world.assertNeighbourUndisturbed();
      } finally {
        await world.close();
      }
    }),
);
