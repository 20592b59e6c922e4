/** The verdicts as a page to read. It holds no times and no random numbers: the same code writes the same page. */
import { readSchedule } from "../run/schedule.js";
import type { Thread } from "./all.js";
import type { Decided } from "./verdicts.js";

/** @param schedules by thread, one broken design's schedule as text */
export function renderThreads(
  threads: readonly Thread[],
  decided: readonly Decided[],
  schedules: ReadonlyMap<Thread, string>,
): string {
  const of = (thread: Thread) => decided.filter(({ dispute }) => dispute.thread === thread.name);
  return [
    "# The threads, decided",
    "",
    "Reviews of kernel drivers often end in doubt: nobody could show that the code is wrong, and nobody could convince the",
    "others that it is right. Here such questions are small programs, in",
    "[`packages/explorer/src/threads`](../packages/explorer/src/threads), one for each design that was argued about, and the",
    "explorer runs every order of events that can make a difference. **unsafe** comes with the shortest schedule that breaks",
    "the design, **safe** means that all of them were run.",
    "",
    "This page is written by `npm test`. *Runs* counts the orders that were run; of an unsafe design, until the first that",
    "breaks it. *Steps* is the length of the shortest schedule that does; `replay(program, schedule)` shows it.",
    "",
    summary(threads, decided),
    ...threads.flatMap((thread) => ["", ...section(thread, of(thread), schedules.get(thread) ?? "")]),
    "",
  ].join("\n");
}

function summary(threads: readonly Thread[], decided: readonly Decided[]): string {
  const rows = threads.map(({ name, title, disputes }) => {
    const own = decided.filter(({ dispute }) => dispute.thread === name);
    const count = (verdict: string) => own.filter(({ result }) => result.verdict === verdict).length;
    const runs = own.reduce((sum, { result }) => sum + result.runs, 0);
    return [title, String(disputes.length), String(count("unsafe")), String(count("safe")), String(runs)];
  });
  return table(["thread", "questions", "designs broken", "designs safe", "runs"], rows);
}

function section(
  { title, about, found, shipped, shown, disputes }: Thread,
  decided: readonly Decided[],
  schedule: string,
): string[] {
  return [
    `## ${title}`,
    "",
    about,
    "",
    `**What was found.** ${found}.`,
    "",
    ...(shipped === undefined ? [] : [`**What ships.** ${shipped}.`, ""]),
    `One schedule in full, of ${shown.dispute}:`,
    "",
    "```",
    schedule.trimEnd(),
    "```",
    ...disputes.flatMap((dispute) => [
      "",
      `### ${dispute.id} ${dispute.title}`,
      "",
      `*Argued:* ${dispute.argued}`,
      "",
      `*Found:* ${dispute.found}`,
      "",
      table(
        ["design", "verdict", "found", "runs", "steps", "schedule"],
        decided.filter((each) => each.dispute === dispute).map(row),
      ),
    ]),
  ];
}

function row({ variant, result }: Decided): string[] {
  const { verdict, runs, failure } = result;
  if (failure === null) return [variant.name, verdict, "", String(runs), "", ""];
  const { length } = readSchedule(failure.schedule);
  const what = `${failure.kind}: ${failure.message.split("\n", 1)[0]}`;
  return [variant.name, `**${verdict}**`, what, String(runs), String(length), `\`${failure.schedule}\``];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|").replaceAll("\n", " ")).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}
