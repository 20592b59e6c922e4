/** A question that was argued on a mailing list, as programs that answer it. */
import type { CheckOptions } from "../check.js";
import type { FailureKind } from "../failure.js";
import type { Program } from "../program.js";

/** One of the designs that were argued about, or one of the ways it ended. */
export interface Variant {
  /** "as posted", "as Cornelia Huck proposed", "as the kernel ended (6.2)", … */
  readonly name: string;
  readonly program: Program;
  readonly expected: "safe" | "unsafe";
  /** What the search has to find where `expected` is "unsafe". */
  readonly finds?: FailureKind;
  readonly options?: Partial<CheckOptions>;
}

export interface Dispute {
  /** "D5.3" */
  readonly id: string;
  readonly thread: "vfio-ccw" | "device-bind-driver" | "dxgkrnl" | "mdev" | "char-devices" | "uevents";
  readonly title: string;
  /** What was argued, in one to three sentences. */
  readonly argued: string;
  /** What the search found, in one to three sentences. */
  readonly found: string;
  readonly variants: readonly Variant[];
}
