/** The command: checks the programs of a file, or runs one schedule again. */
import { type CheckResult, check, type Found } from "../check.js";
import type { Program } from "../program.js";
import { replay } from "../replay.js";
import { renderHtml } from "../report/html.js";
import type { Recording } from "../report/recording.js";
import { renderText } from "../report/text.js";
import { parse, type Request, usage } from "./arguments.js";

/** What the command needs of the process around it. */
export interface Surroundings {
  print(text: string): void;
  complain(text: string): void;
  /** Replaces what was shown before. */
  progress(text: string): void;
  load(file: string): Promise<unknown>;
  save(file: string, text: string): Promise<void>;
}

const status = { safe: 0, unsafe: 1, usage: 2, unknown: 3 } as const;

/** @returns the exit status */
export async function main(args: readonly string[], around: Surroundings): Promise<number> {
  let request: Request | null;
  try {
    request = parse(args);
    if (request === null) {
      around.print(usage);
      return status.safe;
    }
    const { programs, options } = await load(request, around);
    const asked: Request = { ...request, check: { ...options, ...request.check } };
    return asked.replay === null
      ? await checkAll(programs, asked, around)
      : await show(programs, asked.replay, asked, around);
  } catch (error) {
    around.complain(`parhelion-explore: ${error instanceof Error ? error.message : String(error)}\n`);
    return status.usage;
  }
}

async function load(
  { file, program }: Request,
  { load }: Surroundings,
): Promise<{ programs: readonly Program[]; options: Request["check"] }> {
  const module = (await load(file)) as { readonly default?: unknown; readonly options?: Request["check"] };
  const all = [module.default].flat();
  if (!all.every(isProgram)) {
    throw new TypeError(
      `${file}: export default a program, { name, setup(world) { … } }, or a list of programs`,
    );
  }
  const programs = program === null ? all : all.filter(({ name }) => name === program);
  if (programs.length === 0) {
    throw new RangeError(
      `${file} has no program ${program}: it has ${all.map(({ name }) => name).join(", ")}`,
    );
  }
  return { programs, options: module.options ?? {} };
}

function isProgram(value: unknown): value is Program {
  if (typeof value !== "object" || value === null) return false;
  const { name, setup } = value as Partial<Record<keyof Program, unknown>>;
  return typeof name === "string" && typeof setup === "function";
}

async function checkAll(
  programs: readonly Program[],
  request: Request,
  around: Surroundings,
): Promise<number> {
  const results: CheckResult[] = [];
  for (const program of programs) {
    const result = await check(program, {
      ...request.check,
      progress: (runs) => around.progress(`${program.name}: ${runs} runs`),
    });
    around.progress("");
    const first = !results.some(({ verdict }) => verdict === "unsafe");
    results.push(result);
    if (result.failure === null) {
      if (!request.json) around.print(`${summary(result)}\n`);
      continue;
    }
    const recording = await recorded(program, result.failure, request);
    if (!request.json) around.print(`${renderText(recording)}${summary(result)}\n`);
    if (first) await savePage(recording, request, around);
  }
  if (request.json) around.print(`${JSON.stringify(results, null, 2)}\n`);
  if (results.some(({ verdict }) => verdict === "unsafe")) return status.unsafe;
  return results.some(({ verdict }) => verdict === "unknown") ? status.unknown : status.safe;
}

async function show(
  programs: readonly Program[],
  schedule: string,
  request: Request,
  around: Surroundings,
): Promise<number> {
  const [program] = programs;
  if (program === undefined || programs.length > 1) {
    throw new RangeError(`--replay: name one --program of ${programs.map(({ name }) => name).join(", ")}`);
  }
  const recording = await replay(program, schedule, request.check);
  around.print(request.json ? `${JSON.stringify(recording, null, 2)}\n` : renderText(recording));
  await savePage(recording, request, around);
  return recording.failure === null ? status.safe : status.unsafe;
}

/** What can't be repeated can't be shown in full. */
async function recorded(
  program: Program,
  { schedule, ...failure }: Found,
  request: Request,
): Promise<Recording> {
  try {
    const recording = await replay(program, schedule, request.check);
    // An order of locks is of many runs, and none of them has failed by itself.
    return recording.failure === null ? { ...recording, failure } : recording;
  } catch {
    return { program: program.name, schedule, tasks: [], steps: [], omitted: 0, base: 0, failure };
  }
}

async function savePage(recording: Recording, { html }: Request, around: Surroundings): Promise<void> {
  if (html !== null) await around.save(html, renderHtml(recording));
}

function summary({ program, verdict, runs, failed, cut, coverage, bounds }: CheckResult): string {
  const counted = `${runs} ${runs === 1 ? "run" : "runs"}`;
  const within = bounds.map(({ preemptions, runs }) => `${runs} with at most ${preemptions} preemptions`);
  const why =
    verdict === "safe"
      ? "that is every trace"
      : verdict === "unsafe"
        ? `${failed} failed`
        : cut > 0
          ? `${cut} too long: raise --max-steps, or bound the loops`
          : coverage === "bound"
            ? "every trace within the bound, and there are more"
            : "not every trace";
  return [`${program}: ${verdict} (${counted}; ${why})`, ...within.map((line) => `  ${line}`)].join("\n");
}
