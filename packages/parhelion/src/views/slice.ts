/** Slices, their types and adapters as tables. */
import type { AdapterStatus, SliceStatus, SliceTypeStatus } from "parhelion-host";
import { bytes, shorten, table } from "./table.js";

export function typesView(types: readonly SliceTypeStatus[]): string {
  if (types.length === 0) return "no adapters";
  return table(
    ["ADAPTER", "TYPE", "AVAILABLE", "MEMORY", "RESERVED", "SHARE"],
    types.map(({ adapter, type, available, memory, share }) => [
      adapter,
      type,
      available,
      memory === null ? "-" : bytes(memory.limitBytes),
      memory === null ? "-" : bytes(memory.reservedBytes),
      share ?? "-",
    ]),
  );
}

export function slicesView(slices: readonly SliceStatus[]): string {
  if (slices.length === 0) return "no slices";
  return table(
    ["SLICE", "TYPE", "ADAPTER", "USE", "GUEST", "ENGINE", "USED", "GRANT", "LIMIT", "SHARE", "WEIGHT"],
    slices.map((slice) => [
      slice.uuid,
      slice.type,
      where(slice),
      useOf(slice),
      slice.guest === "" ? "-" : slice.guest,
      slice.engine.state,
      bytes(slice.memory?.used ?? 0),
      bytes(slice.memory?.grant ?? 0),
      bytes(slice.descriptor.memory.limitBytes),
      slice.descriptor.share,
      slice.descriptor.weight,
    ]),
  );
}

export function sliceView(slice: SliceStatus): string {
  const { descriptor, memory } = slice;
  const rows: readonly (readonly [string, string | number])[] = [
    ["uuid", slice.uuid],
    ["generation", slice.generation],
    ["type", slice.type],
    ["adapter", where(slice)],
    ["use", useOf(slice)],
    ["guest", slice.guest === "" ? "-" : slice.guest],
    ["engine", slice.engine.state],
    ["memory used", bytes(memory?.used ?? 0)],
    ["memory granted", bytes(memory?.grant ?? 0)],
    ["memory reserved", bytes(descriptor.memory.reservedBytes)],
    ["memory limit", bytes(descriptor.memory.limitBytes)],
    ["share", descriptor.share],
    ["weight", descriptor.weight],
    ["cap", descriptor.cap],
    ["submission", `${descriptor.submissionMs} ms`],
    ["objects", descriptor.objects],
    ["bytes in flight", bytes(descriptor.bytesInFlight)],
    ["engines", descriptor.engines],
    ["node opens", descriptor.nodeOpens],
    ["devices", slice.devices],
    ["queues", slice.queues],
  ];
  return table(["", ""], rows)
    .split("\n")
    .filter((line) => line !== "")
    .join("\n");
}

export function adaptersView(adapters: readonly AdapterStatus[]): string {
  if (adapters.length === 0) return "no adapters";
  return table(
    ["ADAPTER", "STATE", "KIND", "MEMORY", "FROM", "LEFT", "SHARE LEFT", "DESCRIPTION"],
    adapters.map(({ name, presence, kind, memory, left, description }) => [
      name,
      presence,
      kind === "unknown" ? "-" : kind,
      memory === null ? "-" : bytes(memory.bytes),
      memory?.source ?? "-",
      left === null ? "-" : bytes(left.memoryBytes),
      left?.share ?? "-",
      shorten(description, 50),
    ]),
  );
}

function where({ adapter, presence }: SliceStatus): string {
  return presence === "away" ? `${adapter} (away)` : adapter;
}

function useOf({ use }: SliceStatus): string {
  return use ?? "none";
}
