/** Does what one part of a program does change what another part can see? */
import { type CheckOptions, check, type Found } from "../check.js";
import type { Program } from "../program.js";

export interface Independence {
  /** "unknown": not every trace was seen, and no difference. */
  readonly verdict: "independent" | "dependent" | "unknown";
  /** Outcomes, as JSON, that only one of the two has. */
  readonly onlyWithout: readonly string[];
  readonly onlyWith: readonly string[];
  /** Of either, if it failed: then nothing is said. */
  readonly failure: Found | null;
}

/**
 * Compares what comes out (`observe`) of a program without some tasks, and of the same program with them: if these have
 * nothing to do with what is observed, the sets of outcomes are the same.
 */
export async function independent(
  without: Program,
  withThem: Program,
  options: CheckOptions = {},
): Promise<Independence> {
  for (const { name, observe } of [without, withThem]) {
    if (observe === undefined) throw new TypeError(`${name} has no observe: say what is to be compared`);
  }
  const [one, other] = [await check(without, options), await check(withThem, options)];
  const onlyWithout = Object.keys(one.outcomes).filter((outcome) => !(outcome in other.outcomes));
  const onlyWith = Object.keys(other.outcomes).filter((outcome) => !(outcome in one.outcomes));
  const failure = one.failure ?? other.failure;
  const seen = one.verdict === "safe" && other.verdict === "safe";
  // What one has and the other does not means something only where all of the other was seen.
  const differs =
    (onlyWith.length > 0 && one.coverage === "everything") ||
    (onlyWithout.length > 0 && other.coverage === "everything");
  return {
    verdict: failure !== null ? "unknown" : differs ? "dependent" : seen ? "independent" : "unknown",
    onlyWithout,
    onlyWith,
    failure,
  };
}
