/**
 * What host and engine say to each other over the engine's IPC channel. Cold path only: birth and death of devices and
 * queues. Both ends check what they receive with `parseToEngine` / `parseFromEngine`.
 */

import type { EngineQuota, EngineService } from "./quota.js";

/** What `requestAdapter` needs to know, as plain JSON. */
export interface AdapterDescription {
  readonly info: {
    readonly vendor: string;
    readonly architecture: string;
    readonly device: string;
    readonly description: string;
    readonly subgroupMinSize: number;
    readonly subgroupMaxSize: number;
    readonly isFallbackAdapter: boolean;
  };
  readonly features: readonly string[];
  /** GPUSupportedLimits by name; numbers stay below 2^53. */
  readonly limits: Readonly<Record<string, number>>;
  readonly wgslLanguageFeatures: readonly string[];
}

/** GPUDeviceDescriptor after WebIDL conversion in the client, as JSON. */
export interface DeviceRequest {
  readonly label: string;
  readonly requiredFeatures: readonly string[];
  readonly requiredLimits: Readonly<Record<string, number>>;
  readonly defaultQueueLabel: string;
}

/** What the created device really has. */
export interface DeviceGrant {
  readonly features: readonly string[];
  readonly limits: Readonly<Record<string, number>>;
}

/** A refusal that the application sees: `name` is the exception's (TypeError, OperationError). */
export interface EngineRefusal {
  readonly name: string;
  readonly message: string;
  /** Which refusal it is, for programs: `unknown-queue`, `device-gone`, … */
  readonly code?: string;
  /** UUID of the slice. This and the following where a limit is the reason. */
  readonly slice?: string;
  /** Which limit. */
  readonly rule?: string;
  readonly limit?: number;
  readonly used?: number;
  /** How much more was asked for. */
  readonly wanted?: number;
  /** A sentence. */
  readonly remedy?: string;
}

export type ToEngine =
  /** First message. `queuePath`: where to listen for queues. `backend`: Dawn's switches, e.g. ["adapter=…", "backend=null"]. */
  | ({
      readonly op: "start";
      readonly queuePath: string;
      readonly dawn: readonly string[];
      readonly forceFallback: boolean;
    } & EngineService)
  /** The grant is another one from now on. What is in use beyond it stays; nothing new is given until it fits. */
  | { readonly op: "quota"; readonly quota: EngineQuota }
  | {
      readonly op: "createDevice";
      readonly id: number;
      readonly device: number;
      /** Which process it is for: objects can be named on other queues of the same owner, and on no others. */
      readonly owner: number;
      readonly request: DeviceRequest;
    }
  /** `taken`: why its application loses it, where the application has not asked for that. */
  | { readonly op: "destroyDevice"; readonly device: number; readonly taken?: string }
  /** Allows one connection that presents `token` (32 hex digits) to become the command queue of `device`. */
  | {
      readonly op: "createQueue";
      readonly id: number;
      readonly device: number;
      readonly queue: number;
      readonly token: string;
    }
  | { readonly op: "destroyQueue"; readonly queue: number }
  /** Replies when the queue's progress fence reaches `value` (count of completed submits). */
  | { readonly op: "waitFence"; readonly id: number; readonly queue: number; readonly value: number }
  /**
   * Look at the queue's ring now. Replies, when what was published there until now has been read, with the `fence` value that
   * it leads to.
   */
  | { readonly op: "submit"; readonly id: number; readonly queue: number }
  | { readonly op: "statistics"; readonly id: number }
  | ({ readonly op: "lease" } & EngineLease)
  /** Give the lease back as soon as what was handed to the GPU is done. */
  | { readonly op: "recall"; readonly lease: number }
  | { readonly op: "stop" };

/** A lease of the adapter's time. A second one with the same number replaces what the first said. */
export interface EngineLease {
  readonly lease: number;
  /** How much work may be handed to the GPU ahead, in ms; null: nobody else wants the adapter, and nothing needs to be watched. */
  readonly ms: number | null;
  /** How long the engine may stay idle before it yields, in ms. */
  readonly lingerMs: number;
  /** How long the engine has been paused in all until now, in ms: its clock went on, its work did not. */
  readonly pausedMs: number;
}

export interface EngineStatistics {
  readonly devices: number;
  readonly queues: number;
  readonly objects: number;
  readonly submits: number;
  readonly bytesReceived: number;
  readonly residentBytes: number;
}

/** What the slice uses of its quota's `memoryBytes`. Since the engine's start: `peak`, and how many allocations it `refused`. */
export interface EngineMemory {
  readonly used: number;
  readonly peak: number;
  readonly refused: number;
}

export type FromEngine =
  /** `pausable`: the process ends with its host even while it is stopped, so the host may stop it. Default false. */
  /** `sandbox`: what has been taken away from the engine's process, by name; absent: nothing is known of it. */
  | {
      readonly op: "ready";
      readonly adapter: AdapterDescription;
      readonly pausable?: boolean;
      readonly sandbox?: readonly string[];
    }
  /** No usable adapter, or Dawn did not start: the engine exits after this. */
  | { readonly op: "failed"; readonly message: string }
  | { readonly op: "created"; readonly id: number; readonly grant?: DeviceGrant }
  | { readonly op: "refused"; readonly id: number; readonly refusal: EngineRefusal }
  | { readonly op: "fence"; readonly id: number; readonly value: number }
  | { readonly op: "statistics"; readonly id: number; readonly statistics: EngineStatistics }
  /** Whenever it has changed, at most every 100 ms. */
  | ({ readonly op: "memory" } & EngineMemory)
  /** There is work and no lease. Repeated while nothing comes, lest a lost message stop the slice. */
  | { readonly op: "wantTime" }
  /** The lease is given back. `next`: whether there is more to do, as if `wantTime` followed. */
  | { readonly op: "yieldTime"; readonly lease: number; readonly next: "idle" | "waiting" }
  /** The GPU worked that much more for the slice, in ms; while it works every half second or so. */
  | { readonly op: "timeUsed"; readonly busyMs: number }
  /**
   * A submission exceeded its budget, and the GPU has not come back from it since its device was declared lost: only the end of the
   * process ends it. The message is for everybody who has a device of the slice.
   */
  | { readonly op: "overrun"; readonly device: number; readonly message: string }
  | {
      readonly op: "deviceLost";
      readonly device: number;
      readonly reason: "unknown" | "destroyed";
      readonly message: string;
    };
