/** What the host answers when asked how it is: plain data, taken from the device tree at that moment. */
import { noDeadline, type Runtime } from "parhelion-core";
import type { EngineStatistics } from "parhelion-protocol";
import type { AdapterPresence, Adapters } from "./adapters/adapters.js";
import type { AdapterMemory } from "./adapters/capacity.js";
import type { HealthStatus } from "./adapters/health-state.js";
import type { EngineStatus } from "./engines/engine-state.js";
import type { EngineSupervisor } from "./engines/engine-supervisor.js";
import type { AdapterKind } from "./engines/launcher.js";
import type { Guests } from "./guests/guests.js";
import type { SliceTotals } from "./observe/counters.js";
import type { SliceMemoryUse, SliceTimeUse } from "./observe/slice-use.js";
import type { SliceDescriptor } from "./slices/descriptor.js";
import type { SliceEntry, SliceUse } from "./slices/slice-entry.js";
import type { SliceRegistry } from "./slices/slice-registry.js";
import { Task } from "./task.js";
import type { TimeShare } from "./time/time-share.js";
import { describeAdapter } from "./vgpu/adapter-query.js";

/** How long one engine may take to tell its numbers, in ms. */
const statisticsPatienceMs = 1000;

export interface AdapterStatus {
  readonly name: string;
  readonly presence: AdapterPresence;
  /** "unknown" while it is away; the others are empty or null then. */
  readonly kind: AdapterKind | "unknown";
  readonly description: string;
  readonly fallback: boolean;
  /** In bytes, and from where it is known. */
  readonly memory: AdapterMemory | null;
  /** What no slice has reserved or uses. */
  readonly left: { readonly memoryBytes: number; readonly share: number; readonly slices: number } | null;
  readonly health?: HealthStatus;
}

export interface SliceStatus {
  readonly uuid: string;
  readonly generation: number;
  readonly type: string;
  readonly descriptor: SliceDescriptor;
  readonly adapter: string;
  /** "away": its adapter is; it comes back with it. */
  readonly presence: "present" | "away";
  readonly use: SliceUse | null;
  /** Id of the guest that holds it; empty where nobody does. */
  readonly guest: string;
  readonly engine: EngineStatus;
  readonly devices: number;
  readonly queues: number;
  /** Accounted allocations. */
  readonly allocatedBytes: number;
  /** Null when there is no engine, or it did not answer in time. */
  readonly statistics: EngineStatistics | null;
  /** Over all engines that the slice has had. */
  readonly totals?: SliceTotals;
  readonly memory?: SliceMemoryUse;
  readonly time?: SliceTimeUse;
}

export interface ProcessStatus {
  readonly handle: number;
  readonly pid: number;
  readonly name: string;
  readonly devices: number;
}

export interface GuestStatus {
  readonly id: string;
  readonly name: string;
  readonly directory: string;
  readonly connection: "none" | "local" | "remote";
  readonly slices: readonly string[];
  readonly processes: readonly ProcessStatus[];
}

export interface HostStatus {
  readonly pid: number;
  readonly stateDirectory: string;
  readonly listening: { readonly host: string; readonly port: number } | null;
  readonly adapters: readonly AdapterStatus[];
  readonly slices: readonly SliceStatus[];
  readonly guests: readonly GuestStatus[];
}

export function adapterStatuses(adapters: Adapters): readonly AdapterStatus[] {
  return adapters.values().map(({ name, presence, device }) => {
    const away = { kind: "unknown", description: "", fallback: false, memory: null, left: null } as const;
    if (device === null) return { name, presence, ...away };
    const { choice, description, memory, ledger, health } = device;
    return {
      name,
      presence,
      kind: choice.kind,
      description: describeAdapter(description),
      fallback: description.info.isFallbackAdapter,
      memory,
      left: ledger.room,
      ...(health === undefined ? {} : { health: health.status }),
    };
  });
}

/** All engines are asked at once: one that does not answer keeps the others' numbers from nobody. */
export async function sliceStatuses(
  runtime: Runtime,
  slices: SliceRegistry,
): Promise<readonly SliceStatus[]> {
  const asked = slices
    .values()
    .map((entry) => new Task(runtime, `status of slice ${entry.uuid}`, () => sliceStatus(runtime, entry)));
  const statuses: SliceStatus[] = [];
  for (const answer of asked) statuses.push(await answer.wait({ deadline: noDeadline }));
  return statuses;
}

export async function sliceStatus(runtime: Runtime, entry: SliceEntry): Promise<SliceStatus> {
  const { slice, place } = entry;
  const statistics = slice === null ? null : await ask(runtime, slice.engine);
  const { uuid, generation, descriptor, adapter, use, holder } = entry.record;
  let queues = 0;
  for (const device of slice?.devices.values() ?? []) queues += device.counts.queues;
  return {
    uuid,
    generation,
    type: descriptor.type,
    descriptor,
    adapter,
    presence: place === null ? "away" : "present",
    use,
    guest: holder ?? "",
    engine: slice?.engine.status ?? noEngine,
    devices: slice?.devices.size ?? 0,
    queues,
    allocatedBytes: slice?.allocatedBytes ?? 0,
    statistics,
    memory: memoryOf(entry),
    ...(slice?.time === undefined ? {} : { time: timeOf(slice.time) }),
  };
}

function timeOf({ status }: TimeShare): SliceTimeUse {
  const { state, terms, busyMs, chargedMs, pauses, overruns } = status;
  return { busyMs, share: terms.share, state, chargedMs, pauses, overruns };
}

function memoryOf({ uuid, record, slice, place }: SliceEntry): SliceMemoryUse {
  const { limitBytes: limit, reservedBytes: reserved } = record.descriptor.memory;
  const grant = place?.adapter.ledger.grantOf(uuid) ?? 0;
  const { usedBytes: used, peakBytes: peak, refused } = slice?.memory ?? unused;
  return { limit, grant, reserved, used, peak, refused };
}

const unused = Object.freeze({ usedBytes: 0, peakBytes: 0, refused: 0 });

/** Of a slice that nobody has. */
const noEngine: EngineStatus = Object.freeze({
  state: "stopped",
  pid: undefined,
  sandbox: [],
  starts: 0,
  failures: 0,
  lastFailure: undefined,
  retryInMs: undefined,
});

export function guestStatuses(guests: Guests): readonly GuestStatus[] {
  return [...guests.values()].map((guest) => ({
    id: guest.id,
    name: guest.name,
    directory: guest.directory,
    connection: guest.connection?.reach ?? "none",
    slices: [...guest.slices].map(({ uuid }) => uuid),
    processes: [...(guest.connection?.processes.values() ?? [])].map(({ handle, process }) => ({
      handle,
      pid: process.pid,
      name: process.name,
      devices: process.devices.size,
    })),
  }));
}

async function ask(runtime: Runtime, supervisor: EngineSupervisor): Promise<EngineStatistics | null> {
  const { current } = supervisor;
  if (current === undefined) return null;
  // A task of its own: a late answer is not a reason to suspect the engine before its own deadline is.
  const answer = new Task(runtime, `answer of ${current.name}`, () => current.statistics());
  try {
    return await answer.wait({ deadline: runtime.clock.now() + statisticsPatienceMs });
  } catch {
    return null;
  }
}
