/** Something that time will do. */
import type { Named } from "parhelion-core";

/** "timer": the program set it. "deadline": of a wait. */
export interface Pending {
  readonly due: number;
  readonly order: number;
  readonly kind: "timer" | "deadline";
  /** What it is about: the sleeping task's point. */
  readonly what: string;
  /** What firing and cancelling clash on, where it may fire at any time. */
  readonly on: Named | null;
  readonly fire: () => void;
}
