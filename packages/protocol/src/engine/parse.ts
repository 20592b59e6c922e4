/** Both ends of the engine's IPC trust nothing that arrives: neither is written in stone, and either can be wrong. */
import { ProtocolError } from "../error.js";
import type { AdapterDescription, DeviceRequest, EngineRefusal, FromEngine, ToEngine } from "./control.js";
import type { EngineQuota } from "./quota.js";
import {
  between,
  type Check,
  finite,
  flag,
  list,
  nullable,
  object,
  oneOf,
  optional,
  pattern,
  record,
  shape,
  text,
  whole,
} from "./shape.js";

/** Longest label, message or name, in UTF-16 code units. */
export const MAX_CONTROL_TEXT = 64 * 1024;
/** Most features, limits or switches in one message; WebGPU knows about 25 features and 40 limits. */
export const MAX_CONTROL_LIST = 1024;

const name = text(1024);
const words = text(MAX_CONTROL_TEXT);
const names = list(name, MAX_CONTROL_LIST);
const limits = record(finite, MAX_CONTROL_LIST);
const id = whole(Number.MAX_SAFE_INTEGER);
const count = whole(Number.MAX_SAFE_INTEGER);
/** In ms. */
const duration: Check<number> = between(0, Number.MAX_SAFE_INTEGER);
const token = pattern(/^[0-9a-f]{32}$/, "32 lower-case hex digits");

/** The JSON that a client gets for the WebGPU description of an adapter. */
export const parseAdapterDescription: Check<AdapterDescription> = shape({
  info: shape({
    vendor: words,
    architecture: words,
    device: words,
    description: words,
    subgroupMinSize: count,
    subgroupMaxSize: count,
    isFallbackAdapter: flag,
  }),
  features: names,
  limits,
  wgslLanguageFeatures: names,
});

/** The JSON that a client sends as the private data of a device. */
export const parseDeviceRequest: Check<DeviceRequest> = shape({
  label: words,
  requiredFeatures: names,
  requiredLimits: limits,
  defaultQueueLabel: words,
});

export const parseDeviceGrant = shape({ features: names, limits });
export const parseEngineRefusal: Check<EngineRefusal> = shape({
  name,
  message: words,
  code: optional(name),
  slice: optional(name),
  rule: optional(name),
  limit: optional(finite),
  used: optional(finite),
  wanted: optional(finite),
  remedy: optional(words),
});

export const parseEngineQuota: Check<EngineQuota> = shape({
  memoryBytes: count,
  reservedBytes: count,
  limitBytes: count,
  objects: count,
  bytesInFlight: count,
  submissionMs: finite,
});

const toEngine: { readonly [Op in ToEngine["op"]]: Check<Extract<ToEngine, { op: Op }>> } = {
  start: shape({
    op: oneOf("start"),
    queuePath: name,
    dawn: names,
    forceFallback: flag,
    slice: name,
    generation: count,
    quota: parseEngineQuota,
    time: oneOf("free", "leased"),
  }),
  quota: shape({ op: oneOf("quota"), quota: parseEngineQuota }),
  createDevice: shape({ op: oneOf("createDevice"), id, device: id, owner: id, request: parseDeviceRequest }),
  destroyDevice: shape({ op: oneOf("destroyDevice"), device: id, taken: optional(words) }),
  createQueue: shape({ op: oneOf("createQueue"), id, device: id, queue: id, token }),
  destroyQueue: shape({ op: oneOf("destroyQueue"), queue: id }),
  waitFence: shape({ op: oneOf("waitFence"), id, queue: id, value: count }),
  submit: shape({ op: oneOf("submit"), id, queue: id }),
  statistics: shape({ op: oneOf("statistics"), id }),
  lease: shape({
    op: oneOf("lease"),
    lease: id,
    ms: nullable(duration),
    lingerMs: duration,
    pausedMs: duration,
  }),
  recall: shape({ op: oneOf("recall"), lease: id }),
  stop: shape({ op: oneOf("stop") }),
};

const fromEngine: { readonly [Op in FromEngine["op"]]: Check<Extract<FromEngine, { op: Op }>> } = {
  ready: shape({
    op: oneOf("ready"),
    adapter: parseAdapterDescription,
    pausable: optional(flag),
    sandbox: optional(names),
  }),
  wantTime: shape({ op: oneOf("wantTime") }),
  yieldTime: shape({ op: oneOf("yieldTime"), lease: id, next: oneOf("idle", "waiting") }),
  timeUsed: shape({ op: oneOf("timeUsed"), busyMs: duration }),
  overrun: shape({ op: oneOf("overrun"), device: id, message: words }),
  failed: shape({ op: oneOf("failed"), message: words }),
  created: shape({ op: oneOf("created"), id, grant: optional(parseDeviceGrant) }),
  refused: shape({ op: oneOf("refused"), id, refusal: parseEngineRefusal }),
  fence: shape({ op: oneOf("fence"), id, value: count }),
  statistics: shape({
    op: oneOf("statistics"),
    id,
    statistics: shape({
      devices: count,
      queues: count,
      objects: count,
      submits: count,
      bytesReceived: count,
      residentBytes: count,
    }),
  }),
  memory: shape({ op: oneOf("memory"), used: count, peak: count, refused: count }),
  deviceLost: shape({
    op: oneOf("deviceLost"),
    device: id,
    reason: oneOf("unknown", "destroyed"),
    message: words,
  }),
};

function parse<T>(table: Readonly<Record<string, Check<T>>>, message: unknown, side: string): T {
  const { op } = object(message, side);
  const check = typeof op === "string" && Object.hasOwn(table, op) ? table[op] : undefined;
  if (check === undefined)
    throw new ProtocolError("bad-engine-message", `${side}: unknown op ${JSON.stringify(op)?.slice(0, 64)}`);
  return check(message, `${side} ${op}`);
}

/** @throws ProtocolError `bad-engine-message` */
export function parseToEngine(message: unknown): ToEngine {
  return parse<ToEngine>(toEngine, message, "message to the engine");
}

/** @throws ProtocolError `bad-engine-message` */
export function parseFromEngine(message: unknown): FromEngine {
  return parse<FromEngine>(fromEngine, message, "message from the engine");
}
