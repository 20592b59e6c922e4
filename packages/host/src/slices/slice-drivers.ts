/**
 * The drivers of slices, by use: `projected` shows a slice to its guest, `local` serves it on the host itself, `vfio` hands it to a
 * virtual machine monitor or another process.
 */

import type { MdevDevice, MdevDriver } from "parhelion-buses";
import type { Bus } from "parhelion-core";
import type { SlicePlace, SliceUse } from "./slice-entry.js";
import type { Tenure, Tenures } from "./tenures.js";

export type SliceDriver = MdevDriver<SlicePlace, Tenure>;

/** What a slice may be bound to; the first is what it is bound to unless somebody says otherwise. */
export const sliceUses: readonly SliceUse[] = ["projected", "local", "vfio"];

export function sliceDriver(
  bus: Bus,
  use: SliceUse,
  tenures: Tenures,
  take: (place: SlicePlace, device: MdevDevice<SlicePlace>) => Promise<Tenure>,
): SliceDriver {
  return {
    name: use,
    bus,
    probe: (device: MdevDevice<SlicePlace>) => tenures.begin(device, use, (place) => take(place, device)),
    remove: (device: MdevDevice<SlicePlace>, tenure: Tenure) => tenures.end(device, tenure),
  };
}
