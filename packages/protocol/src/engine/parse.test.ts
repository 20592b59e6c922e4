import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { isProtocolError } from "../error.js";
import type { FromEngine, ToEngine } from "./control.js";
import { parseFromEngine, parseToEngine } from "./parse.js";
import { defaultEngineQuota, noSlice } from "./quota.js";

const request = {
  label: "",
  requiredFeatures: ["shader-f16"],
  requiredLimits: { maxBindGroups: 4 },
  defaultQueueLabel: "q",
};
const adapter = {
  info: {
    vendor: "v",
    architecture: "",
    device: "",
    description: "",
    subgroupMinSize: 4,
    subgroupMaxSize: 128,
    isFallbackAdapter: true,
  },
  features: [],
  limits: { maxBufferSize: 2 ** 40 },
  wgslLanguageFeatures: ["subgroup_id"],
};
const down: readonly ToEngine[] = [
  { op: "start", queuePath: "/tmp/q", dawn: ["backend=null"], forceFallback: false, ...noSlice },
  { op: "quota", quota: { ...defaultEngineQuota, memoryBytes: 2 ** 30, submissionMs: 12.5 } },
  { op: "createDevice", id: 1, device: 2, owner: 3, request },
  { op: "destroyDevice", device: 2 },
  { op: "lease", lease: 7, ms: 10, lingerMs: 2, pausedMs: 1.5 },
  { op: "lease", lease: 7, ms: null, lingerMs: 0, pausedMs: 0 },
  { op: "recall", lease: 7 },
  { op: "createQueue", id: 3, device: 2, queue: 4, token: "0123456789abcdef0123456789abcdef" },
  { op: "destroyQueue", queue: 4 },
  { op: "waitFence", id: 5, queue: 4, value: 0 },
  { op: "submit", id: 8, queue: 4 },
  { op: "statistics", id: 6 },
  { op: "stop" },
];
const up: readonly FromEngine[] = [
  { op: "ready", adapter },
  { op: "ready", adapter, sandbox: ["seccomp", "landlock-6"] },
  { op: "failed", message: "no adapter" },
  { op: "created", id: 1 },
  { op: "created", id: 1, grant: { features: [], limits: {} } },
  { op: "refused", id: 1, refusal: { name: "OperationError", message: "no" } },
  { op: "refused", id: 1, refusal: { name: "OperationError", message: "no", code: "device-gone" } },
  {
    op: "refused",
    id: 1,
    refusal: {
      name: "OperationError",
      message: "no",
      code: "too-many-devices",
      slice: "s",
      rule: "devices",
      limit: 1,
      used: 1,
      wanted: 1,
      remedy: "destroy some",
    },
  },
  { op: "fence", id: 5, value: 7 },
  {
    op: "statistics",
    id: 6,
    statistics: { devices: 1, queues: 1, objects: 2, submits: 3, bytesReceived: 4, residentBytes: 5 },
  },
  { op: "memory", used: 2 ** 40, peak: 2 ** 41, refused: 3 },
  { op: "wantTime" },
  { op: "yieldTime", lease: 7, next: "waiting" },
  { op: "timeUsed", busyMs: 12.5 },
  { op: "overrun", device: 2, message: "too long" },
  { op: "deviceLost", device: 2, reason: "unknown", message: "gone" },
];

const refusesAllOf = (parse: (message: unknown) => unknown, message: unknown) =>
  assert.throws(
    () => parse(message),
    (error) => isProtocolError(error, "bad-engine-message"),
  );

describe("the engine's control messages", () => {
  it("pass unchanged when they are well-formed", () => {
    for (const message of down) assert.deepEqual(parseToEngine(structuredClone(message)), message);
    for (const message of up) assert.deepEqual(parseFromEngine(structuredClone(message)), message);
  });

  it("lose members that this end does not know", () => {
    assert.deepEqual(parseToEngine({ op: "stop", newer: { thing: 1 } }), { op: "stop" });
  });

  it("are refused when any member is missing or of another type", () => {
    for (const [parse, messages] of [
      [parseToEngine, down],
      [parseFromEngine, up],
    ] as const) {
      for (const message of messages) {
        for (const member of Object.keys(message)) {
          if (member !== "grant" && member !== "sandbox")
            refusesAllOf(parse, { ...message, [member]: undefined });
          refusesAllOf(parse, { ...message, [member]: Symbol.iterator });
        }
      }
    }
  });

  it("are refused when a number is not a whole one, a token not hex, a list too long", () => {
    for (const device of [-1, 1.5, Number.NaN, 2 ** 60])
      refusesAllOf(parseToEngine, { op: "destroyDevice", device });
    refusesAllOf(parseToEngine, {
      op: "createQueue",
      id: 1,
      device: 1,
      queue: 1,
      token: "../../../../../../../../etc/passwd",
    });
    refusesAllOf(parseToEngine, {
      op: "start",
      queuePath: "/q",
      dawn: Array(5000).fill("x"),
      forceFallback: false,
      ...noSlice,
    });
    for (const ms of [-1, Number.NaN, Number.POSITIVE_INFINITY, "10", undefined])
      refusesAllOf(parseToEngine, { op: "lease", lease: 1, ms, lingerMs: 0, pausedMs: 0 });
    for (const objects of [-1, 0.5, "many", undefined])
      refusesAllOf(parseToEngine, { op: "quota", quota: { ...defaultEngineQuota, objects } });
  });

  it("never make the parser throw anything else", () => {
    fc.assert(
      fc.property(fc.anything(), fc.constantFrom(...down, ...up), fc.string(), (value, message, member) => {
        for (const parse of [parseToEngine, parseFromEngine])
          for (const candidate of [value, { ...message, [member]: value }, { op: value }])
            try {
              parse(candidate);
            } catch (error) {
              assert.ok(isProtocolError(error, "bad-engine-message"), String(error));
            }
      }),
    );
  });
});
