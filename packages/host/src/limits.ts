/**
 * Every count and size that a guest can drive up, with its limit. A refusal names the rule, so that whoever is refused knows
 * which number to change.
 */
import { limitRules, type RefusalRule } from "./limit-rules.js";

export type { RefusalRule } from "./limit-rules.js";

/** Explained in limitRules. */
export interface HostLimits {
  readonly guests: number;
  readonly slicesPerAdapter: number;
  readonly slicesPerGuest: number;
  readonly processesPerGuest: number;
  /** What one process has through the guest driver's interface. */
  readonly objectsPerProcess: number;
  readonly devicesPerSlice: number;
  readonly contextsPerDevice: number;
  readonly queuesPerDevice: number;
  readonly fencesPerDevice: number;
  readonly allocationsPerDevice: number;
  /** Sum over all accounted allocations of a slice. */
  readonly allocatedBytesPerSlice: number;
  /** Fence waits of one process that have not been answered. */
  readonly waitsPerProcess: number;
  /** Longest fence wait, in ms; one that names none gets this. */
  readonly fenceWaitMs: number;
  /** How long createDevice waits for an engine that backs off, in ms. */
  readonly enginePatienceMs: number;
  /** V8 heap of one engine process, in MiB. */
  readonly engineHeapMiB: number;
  /** Queue connections from remote guests that are being carried to an engine, per guest. */
  readonly remoteQueuesPerGuest: number;
  readonly adminConnections: number;
  readonly adminRequests: number;
}

export const defaultLimits: HostLimits = {
  guests: 256,
  slicesPerAdapter: 4096,
  slicesPerGuest: 16,
  processesPerGuest: 1024,
  objectsPerProcess: 2 ** 20,
  devicesPerSlice: 1024,
  contextsPerDevice: 16,
  queuesPerDevice: 16,
  fencesPerDevice: 4096,
  allocationsPerDevice: 65_536,
  allocatedBytesPerSlice: 2 ** 40,
  waitsPerProcess: 4096,
  fenceWaitMs: 600_000,
  enginePatienceMs: 5000,
  engineHeapMiB: 2048,
  remoteQueuesPerGuest: 1024,
  adminConnections: 64,
  adminRequests: 64,
};

/** Why something was not given, for programs; the same words go to people as the message. */
export interface Refusal {
  readonly code: "limit-reached";
  /** UUID of the slice, or the guest's id where the limit is the guest's. */
  readonly slice: string;
  readonly rule: RefusalRule;
  readonly limit: number;
  readonly used: number;
  /** How much more was asked for. */
  readonly wanted: number;
  readonly remedy: string;
}

/**
 * @param used what is in use now
 * @param wanted how much more is asked for
 * @returns undefined when it fits
 */
export function refusalOf(
  limits: HostLimits,
  slice: string,
  rule: keyof HostLimits,
  used: number,
  wanted: number,
): Refusal | undefined {
  const limit = limits[rule];
  if (used + wanted <= limit) return undefined;
  return {
    code: "limit-reached",
    slice,
    rule,
    limit,
    used,
    wanted,
    remedy: `${used === 0 ? "ask for less" : "give back some"}, or raise it with \`parhelion host --limit ${rule}=NUMBER\``,
  };
}

export function refusalMessage(refusal: Refusal): string {
  const { rule, limit, used, wanted, remedy } = refusal;
  const taken = rule.startsWith("adapter") ? `${used} of it are taken` : `${whoseOf(refusal)} has ${used}`;
  return `${rule} is ${limit}; ${taken}, and ${wanted} more would be too many: ${remedy}`;
}

function whoseOf({ rule, slice }: Refusal): string {
  const { whose } = limitRules[rule];
  switch (whose) {
    case "guest":
    case "slice":
      return `${whose} ${slice}`;
    case "guest process":
      return `a process of guest ${slice}`;
    case "process":
    case "device":
      return `the ${whose} on slice ${slice}`;
    case "adapter":
    case "connection":
    case "host":
      return `the ${whose}`;
  }
}
