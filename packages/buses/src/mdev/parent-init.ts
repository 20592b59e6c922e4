/** What a parent says of itself when it is registered: what can be made of it, how many, and for which drivers. */
import type { AttributeGroup } from "parhelion-core";
import type { MdevDevice } from "./device.js";
import type { MdevRequest, MdevType } from "./type.js";

/**
 * How many more can be made. "counter": so many at once, of all types together. "computed": `MdevParentInit.create`
 * takes what a device needs or refuses, and `of` says what it would take.
 */
export type MdevAvailability =
  | { readonly policy: "counter"; readonly instances: number }
  | { readonly policy: "computed"; of(type: MdevType): number };

export interface MdevParentInit<S = unknown, O = unknown> {
  /** What the names of the types' directories start with, up to a hyphen. */
  readonly driverName: string;
  readonly types: readonly MdevType[];
  /** The names of the drivers that may have what is made here; the first is the default. */
  readonly uses: readonly string[];
  readonly available: MdevAvailability;
  /** What every device made here has besides. */
  readonly groups?: readonly AttributeGroup<MdevDevice<S>>[];
  /**
   * Makes what the parent keeps for the device. Up to its first await it runs in the step in which uuid and instance are
   * taken, so whoever reserves must do it there: no other create comes between. Throws to refuse; all is given back then.
   * @returns what becomes `MdevDevice.state`
   */
  create(request: MdevRequest<O>): S | Promise<S>;
  /**
   * Somebody has written to a device's `remove`. Removes it with `MdevParent.remove`, or throws to refuse: then it stays, and can be
   * removed later. May wait. Default: it is removed at once.
   */
  remove?(mdev: MdevDevice<S>): Promise<void>;
  /** Called once for everything that `create` made, by the last reference to the device. Must not throw nor wait. */
  release?(state: S, request: MdevRequest<O>): void;
  /**
   * The parent was unregistered and every device made of it is released: nothing here is called any more. Until then
   * what the functions above use must be there.
   */
  free?(): void;
}
