/**
 * What an adapter has, what its slices have claimed of it, and whether one more fits. Pure: whoever admits a slice looks and
 * enters it in one step.
 */
import type { Refusal } from "../limits.js";
import { describeSlice, fixedShares, type SliceDescriptor, type SliceType } from "./descriptor.js";

/** What one slice has claimed of its adapter. */
export interface Claim {
  /** UUID. */
  readonly slice: string;
  readonly descriptor: SliceDescriptor;
  /** What its engine said last that it has allocated, in bytes. */
  readonly usedBytes: number;
}

export interface Capacity {
  readonly memoryBytes: number;
  /** Slices that there may be at once. */
  readonly slices: number;
}

/** What nobody has claimed. */
export interface Room {
  /** Neither reserved nor in use, in bytes. */
  readonly memoryBytes: number;
  /** 0 to 1. */
  readonly share: number;
  readonly slices: number;
}

export function roomOf(capacity: Capacity, claims: readonly Claim[]): Room {
  let memory = 0;
  let millionths = 0;
  for (const { descriptor, usedBytes } of claims) {
    // What is used beyond a reservation can't be taken back from who uses it.
    memory += Math.max(descriptor.memory.reservedBytes, usedBytes);
    millionths += inMillionths(descriptor.share);
  }
  return {
    memoryBytes: Math.max(0, capacity.memoryBytes - memory),
    share: Math.max(0, 1_000_000 - millionths) / 1e6,
    slices: Math.max(0, capacity.slices - claims.length),
  };
}

/** @returns why `wanted` does not fit beside `claims`, or undefined */
export function admissionRefusal(
  capacity: Capacity,
  claims: readonly Claim[],
  wanted: Claim,
): Refusal | undefined {
  const room = roomOf(capacity, claims);
  const { memory, share } = wanted.descriptor;
  const whole = capacity.memoryBytes;
  if (room.slices < 1) return refuse(wanted.slice, "slicesPerAdapter", capacity.slices, claims.length, 1, "");
  if (memory.limitBytes > whole)
    return refuse(wanted.slice, "adapterMemory", whole, whole - room.memoryBytes, memory.limitBytes, "");
  const needed = Math.max(memory.reservedBytes, wanted.usedBytes);
  if (memory.reservedBytes > 0 && needed > room.memoryBytes) {
    const left = `${room.memoryBytes} bytes of it are left`;
    return refuse(wanted.slice, "adapterMemory", whole, whole - room.memoryBytes, needed, left);
  }
  if (inMillionths(share) > inMillionths(room.share)) {
    const left = `a share of ${room.share} is left`;
    return refuse(wanted.slice, "adapterShare", 1, (1e6 - inMillionths(room.share)) / 1e6, share, left);
  }
  return undefined;
}

/** How many slices of a type fit beside `claims`; of `custom`, how many there may be at all. */
export function availableInstances(capacity: Capacity, claims: readonly Claim[], type: SliceType): number {
  const room = roomOf(capacity, claims);
  const part = fixedShares[type];
  if (part === undefined) return room.slices;
  const bytes = describeSlice({ type }, capacity.memoryBytes).memory.reservedBytes;
  const byMemory = bytes === 0 ? room.slices : Math.floor(room.memoryBytes / bytes);
  const byShare = Math.floor(inMillionths(room.share) / inMillionths(part));
  return Math.min(byMemory, byShare, room.slices);
}

function refuse(
  slice: string,
  rule: "slicesPerAdapter" | "adapterMemory" | "adapterShare",
  limit: number,
  used: number,
  wanted: number,
  left: string,
): Refusal {
  const less = left === "" ? "ask for less" : `${left}: ask for no more`;
  const remedy = `${less}, make or remove slices of the adapter smaller, or take another adapter`;
  return { code: "limit-reached", slice, rule, limit, used, wanted, remedy };
}

function inMillionths(share: number): number {
  return Math.round(share * 1e6);
}
