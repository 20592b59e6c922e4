// What the main job shows at its end.
import Table from "cli-table3";

const PARTS = ["top", "bottom", "left", "right", "mid"];
const CORNERS = ["top", "bottom", "left", "right", "mid"].flatMap((part) =>
  ["left", "mid", "right"].map((place) => `${part}-${place}`),
);
const NO_FRAME = Object.fromEntries([...PARTS, ...CORNERS].map((name) => [name, ""]));

/** Aligned columns with a rule below the header. */
function table(head, rows) {
  const view = new Table({
    head,
    chars: { ...NO_FRAME, middle: "  " },
    style: { head: [], border: [], "padding-left": 0, "padding-right": 0 },
  });
  view.push(...rows);
  const [first, ...rest] = view.toString().split("\n");
  return [first, "─".repeat(first.length), ...rest].map((line) => `  ${line.trimEnd()}`).join("\n");
}

/** @param {{faces: object, text: object}} documents */
export function findingsTable({ faces, text }) {
  const place = ({ x, y, width, height }) =>
    `${Math.round(width)}x${Math.round(height)} at ${Math.round(x)},${Math.round(y)}`;
  return table(
    ["picture", "label", "score", "box"],
    [
      ...faces.photos.flatMap(({ file, boxes }) =>
        boxes.map((box) => [file, "face", box.score.toFixed(6), place(box)]),
      ),
      ...text.lines.map(({ text: words, score, box }) => [
        text.file,
        `"${words}"`,
        score.toFixed(6),
        place(box),
      ]),
    ],
  );
}

/** @param runs in the order of the rows: what ran, the document that it printed, and how long it took from start to end */
export function timesTable(runs) {
  const ms = (value) => (value === undefined ? "–" : `${value.toFixed(0)} ms`);
  return table(
    ["work", "where", "first", "again", "whole program"],
    runs.flatMap(({ where, document, milliseconds }) =>
      stepsOf(document).map(([work, first, again], i) => [
        work,
        where,
        ms(first),
        ms(again),
        i === 0 ? `${(milliseconds / 1000).toFixed(1)} s` : "",
      ]),
    ),
  );
}

function stepsOf({ photos, lines, times }) {
  if (photos !== undefined) {
    return photos.map(({ file }, i) => [
      `faces in ${file}`,
      times.photos[i].firstMs,
      times.photos[i].steadyMs,
    ]);
  }
  if (lines !== undefined) {
    return [
      ["finding text", times.detectMs],
      ["reading text", times.readMs],
    ];
  }
  return [["three.js frame", times.firstMs, times.steadyMs]];
}

/** @param rows as judge() returns them */
export function differencesTable(rows) {
  const show = (value, limit) =>
    value === undefined ? "–" : `${value === 0 ? "0" : value.toExponential(1)} (${limit})`;
  return table(
    ["guest's", "against", "score", "box, pixels", "tensor, relative", "colour, of 255", "unlike", ""],
    rows.map(({ program, against, score, pixels, relative, channel, unlike, tolerance, verdict }) => [
      program,
      against,
      show(score, tolerance.score),
      show(pixels, tolerance.pixels),
      show(relative, tolerance.relative),
      show(channel, tolerance.channel),
      String(unlike),
      verdict,
    ]),
  );
}
