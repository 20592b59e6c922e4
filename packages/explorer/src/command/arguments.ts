/** What the command was asked for. */
import { parseArgs } from "node:util";
import type { CheckOptions } from "../check.js";
import { type FailureKind, failureKinds } from "../failure.js";
import type { Method, NamedMethod } from "../method.js";

export const usage = `Usage: parhelion-explore FILE [options]

Runs the program that FILE exports (default: a Program, or several) under every
relevant interleaving, and prints the shortest schedule that breaks it.

  --method NAME      optimal (default), source, sleep-sets, every
  --preemptions K    at most K preemptions; 0,1,2 does one bound after the other
  --delays K         at most K departures from one schedule: for programs too large for anything else
  --random N         N random schedules
  --pct DEPTH        random priorities, for faults of that depth; with --runs
  --runs N           how many random schedules; default 10000
  --seed N           of the random schedules; default 1
  --max-runs N       stop after N runs, undecided
  --max-steps N      of one run; default 10000
  --go-on            do not stop at the first failure: count them all
  --ignore KINDS     failures that are none, for example leak,data-race
  --program NAME     only that one of FILE's programs
  --replay SCHEDULE  run one schedule again, and show it
  --html PAGE        write the failing (or replayed) run as a page
  --json             print the result as JSON
  --help

Kinds: ${Object.keys(failureKinds).join(", ")}

Exit status: 0 safe, 1 unsafe, 2 wrong usage, 3 undecided (a cap was met, or
the method only samples).
`;

export interface Request {
  readonly file: string;
  readonly program: string | null;
  readonly check: CheckOptions;
  readonly replay: string | null;
  readonly html: string | null;
  readonly json: boolean;
}

/** @returns null: help is asked for @throws RangeError, TypeError for what makes no sense, saying what */
export function parse(args: readonly string[]): Request | null {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      method: { type: "string" },
      preemptions: { type: "string" },
      delays: { type: "string" },
      random: { type: "string" },
      pct: { type: "string" },
      runs: { type: "string" },
      seed: { type: "string" },
      "max-runs": { type: "string" },
      "max-steps": { type: "string" },
      "go-on": { type: "boolean" },
      ignore: { type: "string" },
      program: { type: "string" },
      replay: { type: "string" },
      html: { type: "string" },
      json: { type: "boolean" },
      help: { type: "boolean" },
    },
  });
  if (values.help === true) return null;
  const [file] = positionals;
  if (file === undefined || positionals.length > 1)
    throw new RangeError("give one FILE, which exports a program");
  const method = methodOf(values);
  const maxRuns = whole("max-runs", values["max-runs"]);
  const maxSteps = whole("max-steps", values["max-steps"]);
  const check: CheckOptions = {
    ...(method === null ? {} : { method }),
    ...(maxRuns === null ? {} : { maxRuns }),
    ...(maxSteps === null ? {} : { maxSteps }),
    ...(values["go-on"] === true ? { afterFailure: "go on" as const } : {}),
    ...(values.ignore === undefined ? {} : { ignore: kinds(values.ignore) }),
  };
  return {
    file,
    program: values.program ?? null,
    check,
    replay: values.replay ?? null,
    html: values.html ?? null,
    json: values.json ?? false,
  };
}

interface MethodValues {
  readonly method?: string | undefined;
  readonly preemptions?: string | undefined;
  readonly delays?: string | undefined;
  readonly random?: string | undefined;
  readonly pct?: string | undefined;
  readonly runs?: string | undefined;
  readonly seed?: string | undefined;
}

const named: ReadonlyMap<string, NamedMethod> = new Map([
  ["optimal", "optimal"],
  ["source", "source"],
  ["sleep-sets", "sleep sets"],
  ["every", "every"],
]);

function methodOf(values: MethodValues): Method | null {
  const { method, preemptions, delays, random, pct } = values;
  const given = Object.entries({ method, preemptions, delays, random, pct }).filter(
    ([, value]) => value !== undefined,
  );
  if (given.length > 1) {
    throw new RangeError(`${given.map(([name]) => `--${name}`).join(" and ")}: choose one way to search`);
  }
  const seed = whole("seed", values.seed) ?? 1;
  const runs = whole("runs", values.runs) ?? 10_000;
  if (delays !== undefined) return { delays: whole("delays", delays) as number };
  if (preemptions !== undefined) {
    return { preemptions: preemptions.split(",").map((bound) => whole("preemptions", bound) as number) };
  }
  if (random !== undefined) return { random: { runs: whole("random", random) as number, seed } };
  if (pct !== undefined) return { pct: { depth: whole("pct", pct) as number, runs, seed } };
  if (method === undefined) return null;
  const known = named.get(method);
  if (known === undefined) {
    throw new RangeError(`--method ${method}: there are ${[...named.keys()].join(", ")}`);
  }
  return known;
}

function whole(option: string, text: string | undefined): number | null {
  if (text === undefined) return null;
  if (!/^\d{1,9}$/.test(text)) throw new RangeError(`--${option} ${text}: give a whole number, 0 or more`);
  return Number(text);
}

function kinds(text: string): readonly FailureKind[] {
  return text.split(",").map((kind) => {
    if (!(kind in failureKinds)) {
      throw new RangeError(`--ignore ${kind}: there are ${Object.keys(failureKinds).join(", ")}`);
    }
    return kind as FailureKind;
  });
}
