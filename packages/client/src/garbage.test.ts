/// <reference types="@webgpu/types" />
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { create } from "webgpu";
import { World } from "./testing/world.test.fixture.js";

const dawn = create(["backend=null"]);
after(() => assert.ok(dawn));
const world = new World(dawn);

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** Collects until `holds`, at most a generous number of times. */
async function collected(what: string, holds: () => boolean): Promise<void> {
  for (let round = 0; round < 200 && !holds(); round += 1) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  assert.ok(holds(), `${what} was not collected`);
}

test("the engine forgets objects that the program dropped, and their numbers are used again", async () => {
  const { device, opened } = await world.open();
  const kept = device.createBuffer({ size: 4, usage: 8 });
  const { objects } = opened.engine;
  // Held while they are counted: the collector may come at any time by itself.
  const held = Array.from({ length: 1000 }, () => device.createSampler());
  await device.queue.onSubmittedWorkDone();
  assert.ok(objects.size >= 1000);
  held.length = 0;
  await collected("most samplers", () => objects.size < 50);
  for (let n = 0; n < 900; n += 1) device.createSampler();
  await device.queue.onSubmittedWorkDone();
  const ids = [...objects].map(([id]) => id);
  assert.ok(Math.max(...ids) < 1100, "numbers are used again");
  device.pushErrorScope("validation");
  device.queue.writeBuffer(kept, 0, new Uint8Array(4));
  assert.equal(await device.popErrorScope(), null);
  device.destroy();
});

test("a device that the program dropped is given back, but not while something of it is in use", async () => {
  let queue: GPUQueue | undefined;
  await (async () => {
    const { device } = await world.open();
    queue = device.queue;
  })();
  const opened = world.source.engines.at(-1);
  collect();
  await queue?.onSubmittedWorkDone();
  assert.equal(opened?.state(), "open");
  queue = undefined;
  await collected("the device", () => opened?.state() === "released");
});

test("a promise that waits keeps its device", async () => {
  const done = await (async () => {
    const { device } = await world.open();
    const waiting = device.queue.onSubmittedWorkDone();
    return { waiting };
  })();
  collect();
  assert.equal(await done.waiting, undefined);
});
