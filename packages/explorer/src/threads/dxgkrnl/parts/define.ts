import type { CheckOptions } from "../../../check.js";
import type { Program } from "../../../program.js";

/** Lets `before` and `after` know what `setup` returns, and the caller forget it. */
export function define<W>(program: Program<W>): Program {
  return program;
}

/** The data race that a missing lock is would be found first; where this is used the question is what comes of it. */
export const lookPastRaces: Partial<CheckOptions> = { ignore: ["data-race"] };
