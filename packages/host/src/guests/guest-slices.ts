/** What guests want of the slices that they hold. The registry of slices is the one who does it, being the only one who changes slices. */
import type { SliceWish } from "../slices/descriptor.js";
import type { StoreChange } from "../store/store.js";
import type { Guest } from "./guest.js";

export interface GuestSlices {
  /** From now on slices can be given to the guest: for one that is made again. */
  addHolder(guest: Guest): void;

  /**
   * Makes slices that the guest holds, one for each wish, in that order. They and `alongside`, which puts the guest, are kept by one
   * change. When it rejects nothing of it is kept, and no slice is left.
   * @throws HostError limit-reached, store-failed, host-stopping
   */
  giveTo(guest: Guest, wishes: readonly SliceWish[], alongside: StoreChange): Promise<void>;

  /**
   * Takes all slices of the guest away and removes them, those included that are on their way to it. Their removal and `alongside`,
   * which removes the guest, are kept by one change before anything happens to the slices; every step after it is bounded, and none
   * waits for the guest.
   * Precondition: the guest is "going", so that it gets no further ones.
   * @throws HostError store-failed: the guest has all its slices, and they work
   */
  takeFrom(guest: Guest, alongside: StoreChange, reason: string): Promise<void>;
}
