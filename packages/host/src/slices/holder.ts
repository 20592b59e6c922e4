/** Whoever slices are given to: a guest, or the host itself for one that is used locally. */
import type { Slice } from "./slice.js";

/** One slice shown to one holder. */
export interface Projection {
  /** Rescinds the vGPU, and says why to who uses it. Waits for nothing, least of all for the guest. */
  withdraw(why: string): void;
}

export interface SliceHolder {
  readonly id: string;
  /** Where the sockets of its slices' queues are. */
  readonly directory: string;
  /** "going": it gets nothing any more. */
  readonly state: "present" | "going";
  project(slice: Slice): Projection;
}
