/** What a host's status, asked twice, says of what happens now: rates, and shares of time. Null is what cannot be known. */
import type { AdapterStatus, GuestStatus, HostStatus, SliceStatus } from "parhelion-host";

export interface Sample {
  /** When it was taken, in ms on a clock that never goes back. */
  readonly at: number;
  readonly status: HostStatus;
}

export interface Memory {
  readonly used: number;
  readonly grant: number;
  readonly limit: number;
}

export interface Rates {
  /** Part of the adapter's time, 0 to 1. */
  readonly time: number | null;
  readonly submits: number | null;
  /** From the guest. Both per second. */
  readonly bytes: number | null;
}

export interface SliceReading extends Rates {
  readonly uuid: string;
  readonly type: string;
  readonly adapter: string;
  /** Its holder's id; empty: nobody holds it. */
  readonly guest: string;
  readonly engine: string;
  readonly memory: Memory | null;
  readonly lostDevices: number | null;
  readonly restarts: number;
}

export interface GuestReading extends Rates {
  readonly id: string;
  readonly name: string;
  readonly connection: string;
  readonly slices: number;
  readonly processes: number;
  readonly memory: Memory | null;
  readonly lostDevices: number | null;
}

export interface AdapterReading {
  readonly name: string;
  readonly kind: string;
  readonly description: string;
  readonly health: string;
  /** Why it is not healthy. */
  readonly reason: string;
  /** Of all slices together. */
  readonly time: number | null;
  readonly memory: { readonly used: number; readonly total: number | null } | null;
}

export interface Reading {
  readonly pid: number;
  readonly adapters: readonly AdapterReading[];
  readonly slices: readonly SliceReading[];
  readonly guests: readonly GuestReading[];
}

/** @param before an earlier sample of the same host; null: there are no rates yet */
export function readingOf(before: Sample | null, now: Sample): Reading {
  const { status } = now;
  const seconds = before === null ? 0 : (now.at - before.at) / 1000;
  // Another host at the same place counts anew.
  const same = before !== null && before.status.pid === status.pid && seconds > 0;
  const earlier = new Map(same ? before.status.slices.map((slice) => [slice.uuid, slice]) : []);
  const slices = status.slices.map((slice) => sliceReading(slice, earlier.get(slice.uuid), seconds));
  return {
    pid: status.pid,
    slices,
    guests: status.guests.map((guest) => guestReading(guest, slices)),
    adapters: status.adapters.map((adapter) => adapterReading(adapter, slices)),
  };
}

function sliceReading(slice: SliceStatus, before: SliceStatus | undefined, seconds: number): SliceReading {
  const { uuid, type, adapter, guest, engine, memory, totals } = slice;
  const rate = (read: (status: SliceStatus) => number | undefined) =>
    before === undefined ? null : growth(read(before), read(slice), seconds);
  const busy = rate(({ time }) => time?.busyMs);
  return {
    uuid,
    type,
    adapter,
    guest,
    engine: engine.state,
    time: busy === null ? null : busy / 1000,
    submits: rate((status) => status.totals?.submits),
    bytes: rate((status) => status.totals?.receivedBytes),
    memory: memory === undefined ? null : { used: memory.used, grant: memory.grant, limit: memory.limit },
    lostDevices: totals?.lostDevices ?? null,
    restarts: Math.max(0, engine.starts - 1),
  };
}

/** Per second. What has become less was counted by somebody else. */
function growth(before: number | undefined, now: number | undefined, seconds: number): number | null {
  if (before === undefined || now === undefined || now < before) return null;
  return (now - before) / seconds;
}

function guestReading(guest: GuestStatus, slices: readonly SliceReading[]): GuestReading {
  const { id, name, connection, processes } = guest;
  const own = slices.filter((slice) => slice.guest === id);
  return {
    id,
    name,
    connection,
    slices: own.length,
    processes: processes.length,
    time: sum(own.map(({ time }) => time)),
    submits: sum(own.map(({ submits }) => submits)),
    bytes: sum(own.map(({ bytes }) => bytes)),
    memory: memoryOf(own),
    lostDevices: sum(own.map(({ lostDevices }) => lostDevices)),
  };
}

function memoryOf(slices: readonly SliceReading[]): Memory | null {
  const known = slices.flatMap(({ memory }) => (memory === null ? [] : [memory]));
  if (known.length === 0) return null;
  const total = (key: keyof Memory) => known.reduce((total, memory) => total + memory[key], 0);
  return { used: total("used"), grant: total("grant"), limit: total("limit") };
}

function adapterReading(adapter: AdapterStatus, slices: readonly SliceReading[]): AdapterReading {
  const { name, kind, description, health } = adapter;
  const own = slices.filter((slice) => slice.adapter === name);
  const used = memoryOf(own)?.used;
  return {
    name,
    kind,
    description,
    health: health?.state ?? "-",
    reason: health?.reason ?? "",
    time: sum(own.map(({ time }) => time)),
    memory: used === undefined ? null : { used, total: totalOf(adapter) },
  };
}

/** Of what is known; null when nothing is. */
function sum(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : known.reduce((total, value) => total + value, 0);
}

/** What there is of an adapter's memory, where the host says it. */
function totalOf(adapter: AdapterStatus): number | null {
  const memory: unknown = Reflect.get(adapter, "memory");
  if (typeof memory !== "object" || memory === null || !("bytes" in memory)) return null;
  return typeof memory.bytes === "number" ? memory.bytes : null;
}
