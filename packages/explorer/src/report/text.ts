/** A run as text: a column for each task, and what each step did, from top to bottom. */
import { Deeds, headingOf, pointOf, shownSteps } from "./describe.js";
import type { Recording } from "./recording.js";

export interface TextOptions {
  /** Characters in a line, at most, as long as each column has some; default 100. */
  readonly width?: number;
  /** Steps at most, the last ones; default 80. */
  readonly steps?: number;
}

const gutter = 8;
const narrowest = 22;
const widest = 48;

export function renderText(
  recording: Recording,
  { width = 100, steps: limit = 80 }: TextOptions = {},
): string {
  const { failure, tasks, base, schedule } = recording;
  const all = shownSteps(recording);
  const shown = all.slice(-limit);
  const columns = [...new Set(shown.map(({ step }) => step.task))].sort((a, b) => a - b);
  const room = Math.floor((width - gutter) / Math.max(1, columns.length));
  const column = Math.min(widest, Math.max(narrowest, room));
  const lines: string[] = [headingOf(recording)];
  if (failure !== null)
    lines.push(...wrap(failure.message.split("\n")[0] ?? "", width - 2).map((line) => `  ${line}`));
  lines.push("");
  const names = columns.map((task) => (tasks[task]?.name ?? "?").slice(0, column - 2).padEnd(column));
  lines.push(`${"step".padStart(gutter - 2)}  ${names.join("")}`.trimEnd());
  const deeds = new Deeds(recording);
  const first = shown[0]?.index ?? 0;
  if (first > 0 && first === base) lines.push(`${" ".repeat(gutter)}(steps 0 to ${first - 1} are of before)`);
  else if (first > base) lines.push(`${" ".repeat(gutter)}(steps ${base} to ${first - 1} are left out)`);
  for (const { step, index } of shown) {
    const indent = " ".repeat(columns.indexOf(step.task) * column);
    const did = deeds.of(step).join("; ");
    const [head = "", ...more] = wrap(`${pointOf(step)}${did === "" ? "" : `: ${did}`}`, column - 4);
    const cell = [head, ...more.map((line) => `  ${line}`)];
    const mark = failure?.clash.includes(index) === true ? "!" : failure?.step === index ? "x" : " ";
    for (const [place, line] of cell.entries()) {
      const number = place === 0 ? `${mark} ${index}`.padStart(gutter - 2) : " ".repeat(gutter - 2);
      lines.push(`${number}  ${indent}${line}`);
    }
  }
  if (recording.omitted > 0) lines.push(`${" ".repeat(gutter)}(${recording.omitted} more steps)`);
  lines.push("");
  if (failure !== null && failure.clash.length > 1)
    lines.push(`The steps marked ! clash: ${failure.clash.join(" and ")}.`);
  lines.push(`Schedule: ${schedule === "" ? '""' : schedule}`);
  return `${lines.join("\n")}\n`;
}

/** Breaks at spaces where there are any. */
function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let rest = text;
  while (rest.length > width) {
    const space = rest.lastIndexOf(" ", width);
    const at = space > 0 ? space : width;
    lines.push(rest.slice(0, at));
    rest = rest.slice(at).trimStart();
  }
  lines.push(rest);
  return lines;
}
