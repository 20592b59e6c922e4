/** Programs as tests: a proof that holds is a test that passes, one that does not shows the run that breaks it. */
import { type CheckOptions, type CheckResult, check } from "./check.js";
import type { Method } from "./method.js";
import type { Program } from "./program.js";
import { replay } from "./replay.js";
import { renderText } from "./report/text.js";

/** How a test framework lets tests be declared: `test` of node:test, `it` of others. */
export type DeclareTest = (
  name: string,
  run: (context: { diagnostic?(message: string): void }) => Promise<void>,
) => unknown;

/**
 * Looks at all the orders that the options ask for.
 * @throws Error with the failing run as text when one of them fails, or when the search was cut short of what it promises:
 * of every order, or of those within its bound
 */
export async function assertSafe(program: Program, options: CheckOptions = {}): Promise<CheckResult> {
  const result = await check(program, options);
  const { failure, coverage, runs } = result;
  if (failure !== null) {
    const recording = await replay(program, failure.schedule, options);
    throw new Error(`${failure.kind}: ${failure.message}\n\n${renderText(recording)}`);
  }
  if (coverage === "sample" && (options.strategy !== undefined || !isSample(options.method ?? "optimal"))) {
    throw new Error(
      `${program.name}: the search ended after ${runs} runs, before it was through; allow more (maxRuns), bound it ` +
        "(method), or make the program smaller",
    );
  }
  return result;
}

/** Declares a test that the program is safe. Its name says how far that was looked at. */
export function prove(declare: DeclareTest, program: Program, options: CheckOptions = {}): void {
  const { method = "optimal" } = options;
  const bound = boundOf(method);
  declare(bound === "" ? program.name : `${program.name} [${bound}]`, async (context) => {
    const { runs, coverage } = await assertSafe(program, options);
    context.diagnostic?.(`${runs} runs${coverage === "everything" ? ", every order" : ""}`);
  });
}

function isSample(method: Method): boolean {
  return typeof method !== "string" && ("pct" in method || "random" in method);
}

/** Nothing for every order. */
export function boundOf(method: Method): string {
  if (typeof method === "string") return "";
  if ("preemptions" in method) return `at most ${[method.preemptions].flat().join(", ")} preemptions`;
  if ("delays" in method) return `at most ${method.delays} delays`;
  if ("pct" in method)
    return `${method.pct.runs} runs of depth ${method.pct.depth} from seed ${method.pct.seed}`;
  return `${method.random.runs} random runs from seed ${method.random.seed}`;
}
