/** What each rule bounds, in words. The source of the rules' type; docs/errors.md is made of it. */

export interface RuleEntry {
  readonly means: string;
  /** Whose count it is: who has to give something back. */
  readonly whose:
    | "host"
    | "adapter"
    | "guest"
    | "guest process"
    | "slice"
    | "process"
    | "device"
    | "connection";
  /** "refusal": more is refused, by this rule. "bound": it bounds something that is never refused for it. */
  readonly kind: "refusal" | "bound";
}

const refusal = (whose: RuleEntry["whose"], means: string) => ({ means, whose, kind: "refusal" }) as const;
const bound = (whose: RuleEntry["whose"], means: string) => ({ means, whose, kind: "bound" }) as const;

export const limitRules = {
  guests: refusal("host", "Guests at once."),
  slicesPerAdapter: refusal("adapter", "Slices of one adapter at once."),
  slicesPerGuest: refusal("guest", "Slices that one guest holds."),
  processesPerGuest: refusal("guest", "Processes of one guest that hold nodes open, over all its slices."),
  objectsPerProcess: refusal(
    "guest process",
    "Objects of the guest driver's interface that one process has.",
  ),
  devicesPerSlice: refusal("slice", "Devices on one slice, those being made included."),
  contextsPerDevice: refusal("device", "Contexts of one device."),
  queuesPerDevice: refusal("device", "Hardware queues of one device."),
  fencesPerDevice: refusal("device", "Monitored fences of one device."),
  allocationsPerDevice: refusal("device", "Accounted allocations of one device."),
  allocatedBytesPerSlice: refusal("slice", "Bytes of all accounted allocations of a slice together."),
  waitsPerProcess: refusal("process", "Fence waits of one process that have not been answered."),
  fenceWaitMs: bound("process", "Longest fence wait, in ms; one that names none gets this."),
  enginePatienceMs: bound(
    "slice",
    "How long the making of a device waits for an engine that backs off, in ms.",
  ),
  engineHeapMiB: bound("slice", "JavaScript heap of one engine process, in MiB; beyond it the engine dies."),
  remoteQueuesPerGuest: refusal("guest", "Queues of a guest on another machine that are carried to engines."),
  adminConnections: refusal("host", "Connections to the admin socket that have asked for something."),
  adminRequests: refusal("connection", "Requests of one connection to the admin socket that are under way."),
  nodeOpens: refusal(
    "slice",
    "Processes of the guest that have the slice's vGPU open; of the slice's descriptor.",
  ),
  adapterMemory: refusal("adapter", "Bytes of the adapter's memory that are reserved or in use."),
  adapterShare: refusal("adapter", "Parts of the adapter's time that are kept for slices; 1 is all."),
} as const satisfies Readonly<Record<string, RuleEntry>>;

/** Limits of the host, limits of the slice's own, and what an adapter has: its memory in bytes, its time as 1. */
export type RefusalRule = keyof typeof limitRules;
