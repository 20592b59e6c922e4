/**
 * Proofs with what would break them: each program within its bounds, and beside it the mistakes that the same search has
 * to find. A proof without one may hold because it looks at nothing. Declares them as tests, and says in a table what was
 * looked at.
 */
import { type CheckOptions, check, type Found } from "./check.js";
import type { FailureKind } from "./failure.js";
import type { Method } from "./method.js";
import type { Program } from "./program.js";
import { boundOf, type DeclareTest, prove } from "./prove.js";
import { readSchedule } from "./run/schedule.js";

/** Somebody's mistake, or an order that was proposed, in the place of what the program is about. */
export interface Mistake {
  /** In a few words, for the table. */
  readonly mistake: string;
  readonly program: Program;
  readonly finds: FailureKind;
  /** Besides the proof's; by default every order, 2000 runs at most. */
  readonly options?: CheckOptions;
}

export interface Proof {
  readonly program: Program;
  /** The rules of program and mistakes. */
  readonly options?: CheckOptions;
  /** How far is looked, one after the other. Default: every order. */
  readonly within?: readonly Method[];
  /** How far is looked when that is asked for. Default: as `within`. */
  readonly deep?: readonly Method[];
  readonly mistakes: readonly Mistake[];
  /** Where there are none: why. */
  readonly unbroken?: string;
}

export type ProofDepth = "usual" | "deep";

/** "deep" where PARHELION_PROOFS says so. @param environment that of the process */
export function proofDepth(environment: { readonly [name: string]: string | undefined }): ProofDepth {
  return environment["PARHELION_PROOFS"] === "deep" ? "deep" : "usual";
}

/** Declares a test for each program and each of its bounds, and one for each mistake. */
export function declareProofs(
  declare: DeclareTest,
  proofs: readonly Proof[],
  depth: ProofDepth = "usual",
): void {
  for (const proof of proofs) {
    const { program, options, mistakes, unbroken } = proof;
    if (mistakes.length === 0 && unbroken === undefined)
      throw new TypeError(`${program.name}: name a mistake that it finds, or say why there is none`);
    for (const method of methodsOf(proof, depth)) prove(declare, program, { ...options, method });
    for (const mistake of mistakes) {
      declare(`${mistake.program.name} is found`, async (context) => {
        const { runs, failure } = await find(proof, mistake, false);
        context.diagnostic?.(`after ${runs} runs: ${failure.schedule}`);
      });
    }
  }
}

/** A table of what was looked at, and of what is found there. It has nothing in it that other code could change. */
export function proofTable(proofs: readonly Proof[]): string {
  const rows = proofs.map((proof) => {
    const { program, mistakes, unbroken = "" } = proof;
    const [usual, deep] = [methodsOf(proof, "usual"), methodsOf(proof, "deep")].map((methods) =>
      methods.map((method) => boundOf(method) || "every order").join("; "),
    ) as [string, string];
    const orders = deep === usual ? usual : `${usual} (deep: ${deep})`;
    const found = mistakes.map(({ mistake, finds }) => `${mistake}: ${finds}`).join("; ");
    return [program.name, orders, found === "" ? `none: ${unbroken}` : found];
  });
  return table(["program", "orders", "mistakes that are found"], rows);
}

/** A table of the shortest schedules that lead to the mistakes. They are those of this very code. */
export async function scheduleTable(proofs: readonly Proof[]): Promise<string> {
  const rows: string[][] = [];
  for (const proof of proofs) {
    for (const mistake of proof.mistakes) {
      const { runs, failure } = await find(proof, mistake, true);
      const { kind, message, schedule } = failure;
      const what = `${kind}: ${message.split("\n", 1)[0]}`;
      const steps = String(readSchedule(schedule).length);
      rows.push([mistake.program.name, what, String(runs), steps, `\`${schedule}\``]);
    }
  }
  return table(["program", "found", "runs", "steps", "schedule"], rows);
}

/** @throws Error it is not found, or something else is */
async function find(
  { options }: Proof,
  { program, finds, options: own }: Mistake,
  shrink: boolean,
): Promise<{ readonly runs: number; readonly failure: Found }> {
  const { runs, failure } = await check(program, { ...options, shrink, maxRuns: 2000, ...own });
  if (failure?.kind === finds) return { runs, failure };
  const found = failure === null ? `nothing is found in ${runs} runs` : `${failure.kind}: ${failure.message}`;
  throw new Error(`${program.name}: ${finds} was to be found; ${found}`);
}

function methodsOf({ within = ["optimal"], deep = within }: Proof, depth: ProofDepth): readonly Method[] {
  return depth === "deep" ? deep : within;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|").replaceAll("\n", " ")).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

/**
 * A page with the text between its lines `<!-- NAME -->` and `<!-- /NAME -->` replaced.
 * @throws Error it has no such lines
 */
export function withPart(page: string, name: string, text: string): string {
  const [begin, end] = [`<!-- ${name} -->\n`, `<!-- /${name} -->`];
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from === -1 || to < from) throw new Error(`the page has no part ${begin.trimEnd()} … ${end}`);
  return `${page.slice(0, from + begin.length)}\n${text}\n\n${page.slice(to)}`;
}
