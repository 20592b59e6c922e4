/** What administrators ask of slices. */
import type { SliceWish } from "./descriptor.js";
import type { SliceUse } from "./slice-entry.js";

export interface SliceRequest {
  readonly wish: SliceWish;
  /** Default: the adapter with the fewest slices that has room. */
  readonly adapter?: string;
  /** Id of a guest. Default: nobody. */
  readonly holder?: string | null;
  /** Default "projected". */
  readonly use?: SliceUse | null;
  /** Lower case. Default: a fresh one. */
  readonly uuid?: string;
}

export interface SliceDestination {
  /** Id of a guest; null: nobody. What is left out stays. */
  readonly holder?: string | null;
  readonly adapter?: string;
}
