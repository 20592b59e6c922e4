/** What a planted failure is. */
import type { FailureKind } from "../failure.js";
import type { Program, World } from "../program.js";

export type Version = "with the bug" | "mended";

export interface Planted {
  readonly name: string;
  readonly finds: FailureKind;
  /** The steps that clash, as "task: operation of object"; what the step went on from. */
  readonly clash: readonly string[];
  setup(world: World, version: Version): Pick<Program, "before" | "after" | "invariant"> | undefined;
}
