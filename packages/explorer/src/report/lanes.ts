/** The drawing: a lane for each task, time downwards, a box for each step, and what ties steps of different tasks together. */
import { Deeds, pointOf } from "./describe.js";
import { type LockSpan, lockSpans, passedOn } from "./lock-spans.js";
import { escapeMarkup } from "./markup.js";
import type { RecordedStep, Recording } from "./recording.js";

export interface Shown {
  readonly step: RecordedStep;
  readonly index: number;
}

const laneWidth = 318;
const boxWidth = 240;
const rowHeight = 52;
const boxHeight = 40;
const left = 56;
const top = 44;
const barWidth = 7;
const lockColours = 4;

interface Place {
  /** The box's left edge, and its middle. */
  readonly x: number;
  readonly middle: number;
  readonly y: number;
}

export function renderLanes(recording: Recording, shown: readonly Shown[]): string {
  const { tasks, failure } = recording;
  const columns = [...new Set(shown.map(({ step }) => step.task))].sort((a, b) => a - b);
  const places = new Map<number, Place>();
  for (const [row, { step, index }] of shown.entries()) {
    const x = left + columns.indexOf(step.task) * laneWidth + 26;
    places.set(index, { x, middle: x + boxWidth / 2, y: top + row * rowHeight });
  }
  const width = left + columns.length * laneWidth;
  const height = top + shown.length * rowHeight + 8;
  const did = new Deeds(recording);
  const parts = [
    ...columns.map((task, column) => {
      const x = left + column * laneWidth + 26 + boxWidth / 2;
      return `<text class="head" x="${x}" y="24" text-anchor="middle">${escapeMarkup(tasks[task]?.name ?? "?")}</text>`;
    }),
    ...lanes(shown, places),
    ...lockSpans(shown).flatMap((span) => drawLock(span, shown, places)),
    ...arrows(recording, shown, places),
    ...shown.map((at) => drawStep(recording, at, places.get(at.index) as Place, did)),
    ...clashes(failure?.clash ?? [], places),
  ];
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="The steps of the run, a column for each task">
<defs>${["start", "wake", "pass"].map(marker).join("")}</defs>
${parts.join("\n")}
</svg>`;
}

function marker(kind: string): string {
  return (
    `<marker id="${kind}" class="${kind}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" ` +
    `orient="auto-start-reverse"><path d="M0 0 L8 4 L0 8 z"/></marker>`
  );
}

function drawStep(recording: Recording, { step, index }: Shown, { x, y }: Place, did: Deeds): string {
  const { failure } = recording;
  const marked = failure?.clash.includes(index) === true || failure?.step === index;
  const deeds = did.of(step);
  const title = [
    `step ${index}: ${recording.tasks[step.task]?.name ?? "?"} goes on from ${step.op} of ${step.on}`,
    ...deeds,
    ...(step.held.length > 0 ? [`holds ${step.held.join(", ")}`] : []),
    ...(step.ending === "sleeps" ? [`sleeps in ${step.next}`] : []),
  ];
  return (
    `<g class="step${marked ? " clash" : ""}"><title>${escapeMarkup([...new Set(title)].join("\n"))}</title>` +
    `<text class="soft" x="${left - 14}" y="${y + 24}" text-anchor="end">${index}</text>` +
    `<rect class="box" x="${x}" y="${y}" width="${boxWidth}" height="${boxHeight}" rx="6"/>` +
    `<text class="op" x="${x + 10}" y="${y + 16}">${escapeMarkup(clip(pointOf(step), 30))}</text>` +
    `<text class="soft" x="${x + 10}" y="${y + 32}">${escapeMarkup(clip(deeds.join("; "), 33))}</text></g>`
  );
}

/** From a task's first step to its last, thin while it sleeps. */
function lanes(shown: readonly Shown[], places: ReadonlyMap<number, Place>): readonly string[] {
  const lines: string[] = [];
  for (const [row, { step, index }] of shown.entries()) {
    const next = shown.slice(row + 1).find((other) => other.step.task === step.task);
    if (step.ending === "ends") continue;
    const from = places.get(index) as Place;
    const to = next === undefined ? top + shown.length * rowHeight : (places.get(next.index) as Place).y;
    const kind = step.ending === "sleeps" ? "sleep" : "lane";
    lines.push(line(kind, from.middle, from.y + boxHeight, from.middle, to));
  }
  return lines;
}

function drawLock(
  span: LockSpan,
  shown: readonly Shown[],
  places: ReadonlyMap<number, Place>,
): readonly string[] {
  const from = places.get(span.from);
  if (from === undefined) return [];
  const to =
    span.to === null ? top + shown.length * rowHeight : (places.get(span.to)?.y ?? from.y) + boxHeight / 2;
  const x = from.x - 6 - (span.depth + 1) * (barWidth + 3);
  const y = from.y + boxHeight / 2;
  const colour = span.colour % lockColours;
  const name = escapeMarkup(span.lock);
  return [
    `<g><title>${name}</title><rect class="lock lock${colour}" x="${x}" y="${y}" width="${barWidth}" height="${Math.max(6, to - y)}"/>` +
      `<text class="locklabel locklabel${colour}" x="${x + barWidth}" y="${y - 4}" text-anchor="end">${escapeMarkup(clip(span.lock, 14))}</text></g>`,
  ];
}

function arrows(
  { tasks }: Recording,
  shown: readonly Shown[],
  places: ReadonlyMap<number, Place>,
): readonly string[] {
  const drawn: string[] = [];
  const firstAfter = (task: number, index: number) =>
    shown.find((other) => other.index > index && other.step.task === task)?.index;
  const connect = (kind: string, from: number, to: number | undefined) => {
    const [a, b] = [places.get(from), places.get(to ?? -1)];
    if (a !== undefined && b !== undefined && a.x !== b.x) drawn.push(arrow(kind, a, b));
  };
  for (const { step, index } of shown) {
    for (const task of step.starts)
      if (tasks[task]?.startedIn === index) connect("start", index, firstAfter(task, index));
    for (const task of step.wakes) connect("wake", index, firstAfter(task, index));
  }
  for (const { from, to } of passedOn(lockSpans(shown))) connect("pass", from, to);
  return drawn;
}

/** From the side of one box to the side of another, in a curve. */
function arrow(kind: string, a: Place, b: Place): string {
  const right = b.x > a.x;
  const x1 = right ? a.x + boxWidth : a.x;
  const x2 = right ? b.x - 2 : b.x + boxWidth + 2;
  const [y1, y2] = [a.y + boxHeight * 0.7, b.y + boxHeight * 0.35];
  const bend = Math.max(18, Math.abs(x2 - x1) / 2) * (right ? 1 : -1);
  return `<path class="arrow ${kind}" marker-end="url(#${kind})" d="M${x1} ${y1} C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}"/>`;
}

function clashes(clash: readonly number[], places: ReadonlyMap<number, Place>): readonly string[] {
  return clash.slice(1).flatMap((to, place) => {
    const [a, b] = [places.get(clash[place] as number), places.get(to)];
    if (a === undefined || b === undefined) return [];
    const [x1, x2] =
      a.x === b.x
        ? [a.x + boxWidth, b.x + boxWidth]
        : a.x < b.x
          ? [a.x + boxWidth, b.x]
          : [a.x, b.x + boxWidth];
    const [y1, y2] = [a.y + boxHeight / 2, b.y + boxHeight / 2];
    const bend = a.x === b.x ? 30 : 0;
    return [`<path class="against" d="M${x1} ${y1} C${x1 + bend} ${y1} ${x2 + bend} ${y2} ${x2} ${y2}"/>`];
  });
}

function line(kind: string, x1: number, y1: number, x2: number, y2: number): string {
  return `<line class="${kind}" x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}"/>`;
}

function clip(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}
