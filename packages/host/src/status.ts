/** What the host answers when asked how it is: plain data, taken from the device tree at that moment. */
import { noDeadline, type Runtime, type System } from "parhelion-core";
import type { EngineStatistics } from "parhelion-protocol";
import { AdapterDevice, adapterBus } from "./adapters/adapter-device.js";
import type { HealthStatus } from "./adapters/health-state.js";
import type { EngineStatus } from "./engines/engine-state.js";
import type { EngineSupervisor } from "./engines/engine-supervisor.js";
import type { AdapterKind } from "./engines/launcher.js";
import type { Guests } from "./guests/guests.js";
import type { SliceTotals } from "./observe/counters.js";
import type { SliceMemoryUse, SliceTimeUse } from "./observe/slice-use.js";
import { mdevBus, SliceDevice } from "./slices/slice-device.js";
import { Task } from "./task.js";
import { describeAdapter } from "./vgpu/adapter-query.js";

/** How long one engine may take to tell its numbers, in ms. */
const statisticsPatienceMs = 1000;

export interface AdapterStatus {
  readonly name: string;
  readonly kind: AdapterKind;
  readonly description: string;
  readonly fallback: boolean;
  readonly health?: HealthStatus;
}

export interface SliceStatus {
  readonly uuid: string;
  readonly generation: number;
  readonly type: string;
  readonly adapter: string;
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

export function adapterStatuses(system: System): readonly AdapterStatus[] {
  return system
    .devicesOf(adapterBus)
    .filter((device) => device instanceof AdapterDevice)
    .map(({ name, choice, description }) => ({
      name,
      kind: choice.kind,
      description: describeAdapter(description),
      fallback: description.info.isFallbackAdapter,
    }));
}

/** All engines are asked at once: one that does not answer keeps the others' numbers from nobody. */
export async function sliceStatuses(system: System, guests: Guests): Promise<readonly SliceStatus[]> {
  const { runtime } = system;
  const owners = new Map([...guests.values()].map((guest) => [guest as unknown, guest.id]));
  const devices = system.devicesOf(mdevBus).filter((device) => device instanceof SliceDevice);
  const asked = devices.map(({ name, slice }) => {
    return new Task(runtime, `statistics of ${name}`, () => ask(runtime, slice.engine));
  });
  const statuses: SliceStatus[] = [];
  for (const [i, { slice, parent, audience }] of devices.entries()) {
    const statistics = (await asked[i]?.wait({ deadline: noDeadline })) ?? null;
    let queues = 0;
    for (const device of slice.devices.values()) queues += device.counts.queues;
    statuses.push({
      uuid: slice.uuid,
      generation: slice.generation,
      type: slice.descriptor.type,
      adapter: parent?.name ?? "",
      guest: owners.get(audience) ?? "",
      engine: slice.engine.status,
      devices: slice.devices.size,
      queues,
      allocatedBytes: slice.allocatedBytes,
      statistics,
    });
  }
  return statuses;
}

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
