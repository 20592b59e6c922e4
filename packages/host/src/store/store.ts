/**
 * What outlives a host: its guests, its slices, who holds which, and which UUIDs and generations are spent. Every change is asked
 * for here first and becomes visible when it is kept: who is killed in between finds after the next start what was kept.
 */
import type { StoredGuest, StoredSlice } from "./records.js";

/**
 * What changes together or not at all. A record that is put replaces the one with the same id or UUID. One change may, for
 * example, put a guest and the slices that it holds, or remove a guest and put its slices back without a holder.
 */
export interface StoreChange {
  readonly putGuests?: readonly StoredGuest[];
  /** Ids. One that is not there is no error. */
  readonly removeGuests?: readonly string[];
  readonly putSlices?: readonly StoredSlice[];
  /** UUIDs. They are never given out again. One that is not there is no error. */
  readonly removeSlices?: readonly string[];
}

export interface HostStore {
  /** "blank": nothing was ever kept in it, and nobody would miss it. */
  readonly state: "blank" | "written";
  /** As of the last change that was kept, in the order in which they were first put. */
  readonly guests: readonly StoredGuest[];
  /** As `guests`. */
  readonly slices: readonly StoredSlice[];
  /**
   * Greater than every generation of a slice that this store ever kept, and than every number that this call gave before. Survives
   * restarts as soon as a slice with it is kept.
   */
  nextGeneration(): number;
  /** Whether a slice had or has this UUID. */
  wasUsed(uuid: string): Promise<boolean>;
  /**
   * Keeps all of `change`, on the disk, or nothing of it. Changes are kept in the order in which they are asked for.
   * @throws HostError store-failed (it could not be written, or not in time: nothing has changed; later changes may succeed),
   * uuid-used (a slice that is put is not there, but its UUID was used before), host-stopping (after `close`)
   */
  change(change: StoreChange): Promise<void>;
  /** Waits for the changes under way. Never rejects; the second call waits for the first. */
  close(): Promise<void>;
}
