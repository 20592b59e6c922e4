import assert from "node:assert/strict";
import { test } from "node:test";
import { platformClock } from "parhelion-protocol";
import { create } from "webgpu";
import { Engine } from "./engine.js";
import { defaultLimits } from "./limits.js";
import { plainDevice } from "./script.test.support.js";

test("a device that is destroyed while it is made is refused, and its number is free again", async () => {
  const engine = new Engine({
    adapter: { gpu: create(["backend=null"]), forceFallback: false },
    limits: defaultLimits,
    clock: platformClock,
    collect: () => {},
    onDeviceLost: () => {},
    log: () => {},
  });
  const unwanted = engine.createDevice(1, 0, plainDevice);
  // In the same step: Dawn can't have answered.
  engine.destroyDevice(1);
  await assert.rejects(unwanted, /destroyed before it was made/);
  await engine.createDevice(1, 0, plainDevice);
  engine.destroyDevice(1);
});
