/** What the engine's codes mean and what helps. The source of the codes' types; docs/errors.md is made of it. */
import type { CodeEntry } from "parhelion-protocol";
import type { EngineLimits } from "./limits.js";

const hostsBug = "Report it: host and engine of one release do not do that.";

/** Codes of Refusal: the engine works as it should and says no. */
export const refusalCodes = {
  dawn: { means: "Dawn refused; the message is Dawn's.", remedy: "Mend the request as the message says." },
  "no-adapter": {
    means: "Dawn finds no adapter of the kind that the host asked for.",
    remedy: "Install a Vulkan driver, or choose another adapter with --adapter.",
  },
  "too-many-devices": {
    means: "A refusal: this engine holds as many devices as an engine can.",
    remedy: "Destroy devices that are not needed any more.",
  },
  "out-of-memory": {
    means: "A refusal: the slice has no memory left for another device.",
    remedy: "Destroy what is not needed, or have the host resize the slice: parhelion slice resize.",
  },
  "limit-exceeded": {
    means: "A refusal: `requiredLimits` asks for more than the slice's adapter has.",
    remedy: "Require no more than `adapter.limits` says, or have the host resize the slice.",
  },
  "too-many-waiters": {
    means: "A refusal: as many callers wait for this queue as an engine keeps.",
    remedy: "Await submissions before waiting for more of them.",
  },
  "duplicate-id": { means: "The host gave out a number twice.", remedy: hostsBug },
  "unknown-device": { means: "The host names a device that the engine does not have.", remedy: hostsBug },
  "unknown-queue": {
    means: "The engine has no such queue: it has ended, and its device with it.",
    remedy: "Ask for a new device.",
  },
  "no-connection": {
    means: "The queue has no connection from its application yet, or not any more.",
    remedy: "Ask for a new device.",
  },
  "device-gone": {
    means: "The device was destroyed or lost before the request was done.",
    remedy: "Ask for a new device; `device.lost` says why the old one went.",
  },
  "slice-stale": {
    means: "A message, or a queue's token, is of another slice or an earlier generation of this one.",
    remedy: "Open the vGPU that there is now.",
  },
  "not-started": { means: "The engine has not started, or can't read the request.", remedy: hostsBug },
  "bad-queue-path": {
    means: "The socket for queues can't be listened on.",
    remedy: "Free the path, or give the host a shorter state directory.",
  },
  "sandbox-incomplete": {
    means: "What the host wants taken away from the engine's process can't be taken away on this machine.",
    remedy: "The message names what is missing; docs/security.md says what each part needs.",
  },
} as const satisfies Readonly<Record<string, CodeEntry>>;

export type RefusalCode = keyof typeof refusalCodes;

/** Codes of SoftwareAdapterError: SwiftShader can't be made available. */
export const softwareAdapterCodes = {
  SOFTWARE_ADAPTER_PLATFORM: {
    means: "The package has no SwiftShader for this platform.",
    remedy: "Install a Vulkan driver that runs on the CPU and name its manifest in VK_DRIVER_FILES.",
  },
  SOFTWARE_ADAPTER_PACKAGE: {
    means: "`@sparticuz/chromium` is not installed, or not with the file that holds SwiftShader.",
    remedy: "Install it again.",
  },
  SOFTWARE_ADAPTER_ARCHIVE: {
    means: "The archive that holds SwiftShader can't be unpacked.",
    remedy: "Install `@sparticuz/chromium` again.",
  },
  SOFTWARE_ADAPTER_CACHE: {
    means: "No cache directory can be written, or it belongs to somebody else.",
    remedy: "Point XDG_CACHE_HOME at a directory that this user can write.",
  },
} as const satisfies Readonly<Record<string, CodeEntry>>;

export type SoftwareAdapterErrorCode = keyof typeof softwareAdapterCodes;

/** What the engine's own limits bound. Those that are reached without a refusal make a queue wait, or drop what was not asked for. */
export const engineRules = {
  devices: "Devices of one engine, those being made included. Beyond it: too-many-devices.",
  handshakes: "Connections that have not shown a token. Beyond it the oldest is dropped.",
  mapsInFlight:
    "mapAsync requests of one queue whose data has not been sent. Beyond it the queue is closed: too-many-maps.",
  eventsWaiting:
    "Replies and errors of one queue that wait for room. Beyond half of it uncaptured errors are dropped; beyond it the queue is closed: replies-not-read.",
  submitsInFlight: "Submits of one queue that the GPU has not finished. Beyond it the queue waits.",
  fenceWaiters: "Callers that wait for one queue. Beyond it: too-many-waiters.",
  memoryBytes:
    "GPU memory of the slice. Beyond it: GPUOutOfMemoryError in the error scope, out-of-memory for a new device.",
  objects: "WebGPU objects of the slice. Beyond it: GPUOutOfMemoryError in the error scope.",
  requiredLimits:
    "A limit that a device requires, against what the slice can ever hold; by its name, as requiredLimits.maxBufferSize. Beyond it: limit-exceeded.",
} as const satisfies Partial<
  Readonly<Record<keyof EngineLimits | "memoryBytes" | "objects" | "requiredLimits", string>>
>;
