/** Something that time will do. */
import type { Named } from "parhelion-core";

/** "timer": the program set it. "deadline": of a wait. */
export interface Pending {
  readonly due: number;
  readonly kind: "timer" | "deadline";
  /** What it is about: the sleeping task's point. */
  readonly what: string;
  /** What firing and cancelling clash on, where it may fire at any time. */
  readonly on: Named | null;
  readonly fire: () => void;
}

/** Of those that are due at once, the one that was there first. @param pending in the order in which they came */
export function earliest(pending: Iterable<Pending>, kind: "timer" | "any"): Pending | undefined {
  let first: Pending | undefined;
  for (const each of pending) {
    if (kind === "timer" && each.kind !== "timer") continue;
    if (first === undefined || each.due < first.due) first = each;
  }
  return first;
}
