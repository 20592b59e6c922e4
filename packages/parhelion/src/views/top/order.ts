/** In which order slices and guests are shown. */
import type { GuestReading, SliceReading } from "./reading.js";

export const topOrders = [
  "time",
  "memory",
  "submits",
  "bytes",
  "lost",
  "restarts",
  "guest",
  "slice",
] as const;
export type TopOrder = (typeof topOrders)[number];

type Row = SliceReading | GuestReading;

/** By a number the largest first, by a name from a to z; what is unknown last, and what is equal by name. */
export function inOrder<T extends Row>(rows: readonly T[], order: TopOrder): readonly T[] {
  const byName = (a: T, b: T) => compare(nameOf(a), nameOf(b));
  if (order === "slice") return rows.toSorted(byName);
  if (order === "guest") return rows.toSorted((a, b) => compare(holderOf(a), holderOf(b)) || byName(a, b));
  return rows.toSorted((a, b) => (numberOf(b, order) ?? -1) - (numberOf(a, order) ?? -1) || byName(a, b));
}

function nameOf(row: Row): string {
  return "uuid" in row ? row.uuid : row.id;
}

function holderOf(row: Row): string {
  return "uuid" in row ? row.guest : row.id;
}

function numberOf(row: Row, order: Exclude<TopOrder, "guest" | "slice">): number | null {
  switch (order) {
    case "time":
      return row.time;
    case "memory":
      return row.memory?.used ?? null;
    case "submits":
      return row.submits;
    case "bytes":
      return row.bytes;
    case "lost":
      return row.lostDevices;
    case "restarts":
      return "restarts" in row ? row.restarts : null;
  }
}

/** By code units: the same everywhere, whatever the locale. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
