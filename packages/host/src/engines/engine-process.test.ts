import assert from "node:assert/strict";
import { test } from "node:test";
import { systemClock } from "parhelion-core";
import type { DeviceRequest } from "parhelion-protocol";
import { HostError, type HostErrorCode } from "../host-error.js";
import { describeExit } from "./engine-exit.js";
import {
  defaultEngineDeadlines,
  EngineProcess,
  type EngineProcessOptions,
  EngineRefusedError,
} from "./engine-process.js";

/** Ends a test that hangs; no test comes near it. */
const limit = { timeout: 60_000 };

const entry = new URL("./scripted-engine.test.fixture.js", import.meta.url).pathname;

function start(behaviour: string, more: Partial<EngineProcessOptions> = {}): EngineProcess {
  return new EngineProcess({
    entry,
    nodeFlags: [],
    environment: { BEHAVIOUR: behaviour },
    start: { queuePath: "/unused", dawn: [], forceFallback: false },
    deadlines: defaultEngineDeadlines,
    clock: systemClock,
    onOutput: () => undefined,
    onDeviceLost: () => undefined,
    ...more,
  });
}

function request(label: string): DeviceRequest {
  return { label, requiredFeatures: [], requiredLimits: {}, defaultQueueLabel: "" };
}

function failure(code: HostErrorCode, words = ""): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof HostError, String(error));
    assert.equal(error.code, code);
    assert.ok(error.message.includes(words), error.message);
    return true;
  };
}

test(
  "an engine answers for its adapter, grants and refuses devices, and ends when asked",
  limit,
  async () => {
    const output: string[] = [];
    const lost: unknown[] = [];
    const engine = start("good", {
      onOutput: (stream, line) => output.push(`${stream}: ${line}`),
      onDeviceLost: (...what) => lost.push(what),
    });
    assert.equal((await engine.ready).info.vendor, "scripted");
    assert.deepEqual(await engine.createDevice(9, 1, request("")), { features: [], limits: { a: 9 } });
    await assert.rejects(engine.createDevice(10, 1, request("no")), (error) => {
      assert.ok(error instanceof EngineRefusedError);
      assert.deepEqual(error.refusal, { name: "TypeError", message: "not this one" });
      return true;
    });
    await engine.createQueue(9, 1, "0".repeat(32));
    assert.equal(await engine.waitFence(1, 5, new AbortController().signal), 5);
    engine.destroyDevice(9);
    const exit = await engine.stop("test");
    assert.deepEqual([exit.exitCode, exit.signal], [0, null]);
    assert.deepEqual(lost, [[9, "destroyed", "as asked"]]);
    assert.deepEqual(output, ["stdout: one line", "stdout: and a piece of another"]);
  },
);

test(
  "an engine that does not become ready fails with its last words, its own message or the deadline",
  limit,
  async () => {
    await assert.rejects(start("exit-at-once").ready, failure("engine-start-failed", "cannot find a driver"));
    const failed = start("failed");
    await assert.rejects(failed.ready, failure("engine-start-failed", "no adapter at all"));
    await failed.stop("test");
    const silent = start("silent", { deadlines: { ...defaultEngineDeadlines, startMs: 50 } });
    await assert.rejects(silent.ready, failure("engine-start-failed", "50 ms"));
    assert.equal((await silent.exited).signal, "SIGKILL");
    const nonsense = start("nonsense");
    await assert.rejects(nonsense.ready, failure("engine-start-failed", "malformed"));
    assert.equal((await nonsense.exited).signal, "SIGKILL");
  },
);

test("a program that cannot be run ends like any other engine", limit, async () => {
  const engine = start("good", { entry: "/nowhere/engine.js" });
  await assert.rejects(engine.ready, failure("engine-start-failed"));
  assert.notEqual((await engine.exited).exitCode, 0);
});

test(
  "when an engine dies every request settles with exit code and last words, and later ones at once",
  limit,
  async () => {
    const engine = start("good");
    await engine.ready;
    const fence = engine.waitFence(1, 1000, new AbortController().signal);
    const silence = engine.createDevice(1, 1, request("silence"));
    const dying = engine.createDevice(2, 1, request("die"));
    for (const pending of [fence, silence, dying])
      await assert.rejects(pending, failure("engine-gone", "code 7"));
    const exit = await engine.exited;
    assert.equal(describeExit(exit), "engine exited with code 7; its last words: last words");
    await assert.rejects(engine.statistics(), failure("engine-gone"));
    engine.destroyDevice(1);
  },
);

test(
  "a request that is not answered and a fence wait that is given up settle while the engine lives",
  limit,
  async () => {
    const engine = start("good", { deadlines: { ...defaultEngineDeadlines, replyMs: 20 } });
    await engine.ready;
    await assert.rejects(engine.createDevice(1, 1, request("silence")), failure("engine-silent"));
    const giveUp = new AbortController();
    const wait = engine.waitFence(1, 1000, giveUp.signal);
    giveUp.abort(new Error("enough"));
    await assert.rejects(wait, /enough/);
    await assert.rejects(engine.waitFence(1, 1000, giveUp.signal), /enough/);
    await engine.stop("test");
  },
);

test("an engine that ignores the request to stop is killed", limit, async () => {
  const engine = start("stubborn", { deadlines: { ...defaultEngineDeadlines, stopMs: 20 } });
  await engine.ready;
  const exit = await engine.stop("the host stops");
  assert.equal(exit.signal, "SIGKILL");
  assert.equal(describeExit(exit), "engine was killed by SIGKILL (the host stops)");
});
