/** A run as a page that needs nothing but itself: no script, nothing from elsewhere, light or dark as the reader likes. */
import { Deeds, headingOf, pointOf, shownSteps } from "./describe.js";
import { renderLanes } from "./lanes.js";
import { escapeMarkup } from "./markup.js";
import type { Recording } from "./recording.js";

export interface HtmlOptions {
  /** Steps at most, the last ones; default 200. */
  readonly steps?: number;
}

export function renderHtml(recording: Recording, { steps: limit = 200 }: HtmlOptions = {}): string {
  const { failure, schedule, tasks, program } = recording;
  const all = shownSteps(recording);
  const shown = all.slice(-limit);
  const [message = "", ...trace] = failure?.message.split("\n") ?? [];
  const deeds = new Deeds(recording);
  const rows = shown.map(({ step, index }) => {
    const clash = failure?.clash.includes(index) === true || failure?.step === index;
    const cells = [String(index), tasks[step.task]?.name ?? "?", pointOf(step), deeds.of(step).join("; ")];
    return `<tr${clash ? ' class="clash"' : ""}>${cells.map((cell) => `<td>${escapeMarkup(cell)}</td>`).join("")}</tr>`;
  });
  const left = all.length - shown.length + recording.omitted;
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeMarkup(headingOf(recording))}</title>
<style>${style}</style>
<header>
<p class="program">${escapeMarkup(program)}</p>
<h1 class="${failure === null ? "passed" : "failed"}">${
    failure === null
      ? "Nothing failed in this run"
      : `<span class="kind">${failure.kind}</span> in step ${failure.step}`
  }</h1>
${failure === null ? "" : `<p class="message">${escapeMarkup(message)}</p>`}
${trace.length === 0 ? "" : `<pre>${escapeMarkup(trace.join("\n"))}</pre>`}
<p class="schedule">Schedule <code>${escapeMarkup(schedule === "" ? '""' : schedule)}</code></p>
</header>
<main>
<div class="lanes">
${renderLanes(recording, shown)}
</div>
<p class="key">A column is a task, a box is a step: hover over it for all that it did. A bar beside a column is a lock that
the task holds. A thin line means that the task sleeps. Arrows: <span class="start">starts</span>,
<span class="wake">wakes</span>, <span class="pass">passes a lock on</span>.${
    left > 0 ? ` ${left} steps are left out.` : ""
  }</p>
<details><summary>Every step in words</summary>
<table><thead><tr><th>step</th><th>task</th><th>goes on from</th><th>does</th></tr></thead>
<tbody>
${rows.join("\n")}
</tbody></table></details>
</main>
</html>
`;
}

const style = `
:root { color-scheme: light dark; --ground: #fcfcfa; --ink: #1d1f24; --soft: #62666e; --line: #c9ccd1; --box: #ffffff;
  --edge: #8d939c; --red: #c0232c; --redbox: #fdecec; --start: #5a6b8c; --wake: #1b7f5c; --pass: #b06a00; }
@media (prefers-color-scheme: dark) { :root { --ground: #16181c; --ink: #e6e7ea; --soft: #9aa0aa; --line: #3b4048;
  --box: #20242a; --edge: #6b727d; --red: #ff7b7f; --redbox: #3a2022; --start: #93a8d0; --wake: #56c79c; --pass: #e5a94f; } }
* { box-sizing: border-box; }
body { margin: 0; padding: 2rem clamp(1rem, 4vw, 3rem) 3rem; background: var(--ground); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif; }
header { max-width: 70rem; }
h1 { margin: 0 0 .4rem; font-size: 1.5rem; font-weight: 650; }
h1 .kind { color: var(--red); }
h1.passed { color: var(--wake); }
.program { margin: 0; color: var(--soft); }
.message { margin: 0 0 .5rem; max-width: 60rem; }
.schedule { color: var(--soft); overflow-wrap: anywhere; }
code, pre, table { font: 13px/1.45 ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; }
pre { color: var(--soft); overflow-x: auto; }
code { padding: .1rem .35rem; border: 1px solid var(--line); border-radius: 4px; color: var(--ink); }
.lanes { overflow-x: auto; margin: 1.2rem 0; }
.key { max-width: 60rem; color: var(--soft); }
.key .start { color: var(--start); } .key .wake { color: var(--wake); } .key .pass { color: var(--pass); }
summary { cursor: pointer; }
table { margin-top: .6rem; border-collapse: collapse; }
th, td { padding: .15rem .8rem .15rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); }
td:first-child { text-align: right; color: var(--soft); }
tr.clash td { color: var(--red); }
svg { display: block; }
svg text { font: 12px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; fill: var(--ink); }
svg .head { font: 600 14px system-ui, sans-serif; }
svg .soft { fill: var(--soft); font-size: 11px; }
svg .lane { stroke: var(--line); stroke-width: 6; stroke-linecap: round; }
svg .sleep { stroke: var(--soft); stroke-width: 1.5; stroke-dasharray: 3 4; }
svg .box { fill: var(--box); stroke: var(--edge); }
svg .step:hover .box { stroke-width: 2; stroke: var(--ink); }
svg .clash .box { fill: var(--redbox); stroke: var(--red); stroke-width: 2; }
svg .clash .op { fill: var(--red); font-weight: 600; }
svg .against { stroke: var(--red); stroke-width: 2; fill: none; stroke-dasharray: 6 4; }
svg .start { stroke: var(--start); } svg .wake { stroke: var(--wake); } svg .pass { stroke: var(--pass); }
svg .arrow { stroke-width: 1.5; fill: none; }
svg marker.start path { fill: var(--start); stroke: none; } svg marker.wake path { fill: var(--wake); stroke: none; }
svg marker.pass path { fill: var(--pass); stroke: none; }
svg .lock { rx: 3; opacity: .85; }
svg .locklabel { font-size: 10px; }
svg .lock0, svg .locklabel0 { fill: #c77d1e; } svg .lock1, svg .locklabel1 { fill: #3f7fbf; }
svg .lock2, svg .locklabel2 { fill: #7d5bb5; } svg .lock3, svg .locklabel3 { fill: #2f8f74; }
`;
