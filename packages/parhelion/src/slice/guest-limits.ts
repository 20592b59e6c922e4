/** What a guest gets from the start: so many slices of one kind. */
import type { SliceWish } from "parhelion-host";
import { type LimitOptions, wishOf } from "./limit-options.js";

export interface GuestLimitOptions extends LimitOptions {
  readonly slices?: number;
}

export function guestLimits(options: GuestLimitOptions): {
  readonly slices?: number;
  readonly descriptor?: SliceWish;
} {
  const { slices } = options;
  return { ...(slices === undefined ? {} : { slices }), descriptor: wishOf(options) };
}
