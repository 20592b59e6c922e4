import assert from "node:assert/strict";
import { test } from "node:test";
import { createRuntime } from "parhelion-core";
import { type DeviceRequest, defaultEngineQuota, type EngineMemory, noSlice } from "parhelion-protocol";
import { HostError, type HostErrorCode } from "../host-error.js";
import { describeExit } from "./engine-exit.js";
import {
  defaultEngineDeadlines,
  EngineProcess,
  type EngineProcessOptions,
  EngineRefusedError,
} from "./engine-process.js";

/** Ends a test that hangs; no test comes near it. */
const limit = { timeout: 300_000 };

const entry = new URL("./scripted-engine.test.fixture.js", import.meta.url).pathname;

function start(behaviour: string, more: Partial<EngineProcessOptions> = {}): EngineProcess {
  return new EngineProcess({
    entry,
    nodeFlags: [],
    environment: { BEHAVIOUR: behaviour },
    start: { queuePath: "/unused", dawn: [], forceFallback: false, ...noSlice },
    deadlines: defaultEngineDeadlines,
    runtime: createRuntime(),
    name: "engine of a test",
    onOutput: () => undefined,
    onDeviceLost: () => undefined,
    ...more,
  });
}

function request(label: string): DeviceRequest {
  return { label, requiredFeatures: [], requiredLimits: {}, defaultQueueLabel: "" };
}

function fence(engine: EngineProcess, queue: number, value: number): Promise<number> {
  return new Promise((resolve, reject) => engine.waitFence(queue, value, { value: resolve, error: reject }));
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
    assert.equal((await engine.whenReady()).info.vendor, "scripted");
    assert.deepEqual(await engine.createDevice(9, 1, request("")), { features: [], limits: { a: 9 } });
    await assert.rejects(engine.createDevice(10, 1, request("no")), (error) => {
      assert.ok(error instanceof EngineRefusedError);
      assert.deepEqual(error.refusal, { name: "TypeError", message: "not this one" });
      return true;
    });
    await engine.createQueue(9, 1, "0".repeat(32));
    assert.equal(await fence(engine, 1, 5), 5);
    engine.destroyDevice(9);
    const exit = await engine.stop("test");
    assert.deepEqual([exit.exitCode, exit.signal], [0, null]);
    assert.deepEqual(lost, [[9, "destroyed", "as asked"]]);
    assert.deepEqual(output, ["stdout: one line", "stdout: and a piece of another"]);
  },
);

test("an engine is told of another quota and tells what of it is in use", limit, async () => {
  const reports: EngineMemory[] = [];
  const engine = start("", { onMemory: (memory) => reports.push(memory) });
  await engine.whenReady();
  engine.setQuota({ ...defaultEngineQuota, memoryBytes: 4711 });
  assert.equal(await fence(engine, 1, 5), 5);
  assert.deepEqual(reports, [{ used: 0, peak: 4711, refused: 0 }]);
  await engine.stop("test");
});

test(
  "an engine that does not become ready fails with its last words, its own message or the deadline",
  limit,
  async () => {
    await assert.rejects(
      start("exit-at-once").whenReady(),
      failure("engine-start-failed", "cannot find a driver"),
    );
    const failed = start("failed");
    await assert.rejects(failed.whenReady(), failure("engine-start-failed", "no adapter at all"));
    await failed.stop("test");
    const silent = start("silent", { deadlines: { ...defaultEngineDeadlines, startMs: 50 } });
    await assert.rejects(silent.whenReady(), failure("engine-start-failed", "50 ms"));
    assert.equal((await silent.whenExited()).signal, "SIGKILL");
    const nonsense = start("nonsense");
    await assert.rejects(nonsense.whenReady(), failure("engine-start-failed", "malformed"));
    assert.equal((await nonsense.whenExited()).signal, "SIGKILL");
  },
);

test("a program that cannot be run ends like any other engine", limit, async () => {
  const engine = start("good", { entry: "/nowhere/engine.js" });
  await assert.rejects(engine.whenReady(), failure("engine-start-failed"));
  assert.notEqual((await engine.whenExited()).exitCode, 0);
});

test(
  "when an engine dies every request settles with exit code and last words, and later ones at once",
  limit,
  async () => {
    const engine = start("good");
    await engine.whenReady();
    const never = fence(engine, 1, 1000);
    const silence = engine.createDevice(1, 1, request("silence"));
    const dying = engine.createDevice(2, 1, request("die"));
    for (const pending of [never, silence, dying])
      await assert.rejects(pending, failure("engine-gone", "code 7"));
    const exit = await engine.whenExited();
    assert.equal(describeExit(exit), "engine exited with code 7; its last words: last words");
    await assert.rejects(engine.statistics(), failure("engine-gone"));
    engine.destroyDevice(1);
  },
);

test(
  "a request that is not answered and a fence wait that is given up are over while the engine lives",
  limit,
  async () => {
    const engine = start("good", { deadlines: { ...defaultEngineDeadlines, replyMs: 20 } });
    await engine.whenReady();
    await assert.rejects(engine.createDevice(1, 1, request("silence")), failure("engine-silent"));
    const answers: unknown[] = [];
    const answer = { value: (value: number) => answers.push(value), error: (e: unknown) => answers.push(e) };
    engine.waitFence(1, 1000, answer)();
    await engine.stop("test");
    assert.deepEqual(answers, []);
    engine.waitFence(1, 1000, answer);
    assert.deepEqual(answers.map(failure("engine-gone")), [true]);
  },
);

test("an engine that ignores the request to stop is killed", limit, async () => {
  const engine = start("stubborn", { deadlines: { ...defaultEngineDeadlines, stopMs: 20 } });
  await engine.whenReady();
  const exit = await engine.stop("the host stops");
  assert.equal(exit.signal, "SIGKILL");
  assert.equal(describeExit(exit), "engine was killed by SIGKILL (the host stops)");
});
