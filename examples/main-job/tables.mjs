// What the main job shows at its end.
import { basename } from "node:path";
import Table from "cli-table3";

function table(head, rows) {
  const view = new Table({ head, style: { head: [], border: [] } });
  view.push(...rows);
  return view.toString();
}

export function facesTable({ faces, text }) {
  const place = ({ x, y, width, height }) =>
    `${Math.round(width)}x${Math.round(height)} at ${Math.round(x)},${Math.round(y)}`;
  return table(
    ["picture", "label", "score", "box"],
    [
      ...faces.document.photos.flatMap(({ file, boxes }) =>
        boxes.map((box) => [file, "face", box.score.toFixed(6), place(box)]),
      ),
      ...text.document.lines.map(({ text: words, score, box }) => [
        basename(text.document.file),
        `"${words}"`,
        score.toFixed(6),
        place(box),
      ]),
    ],
  );
}

export function timesTable(guests, plain) {
  const ms = (value) => (value === undefined ? "–" : `${value.toFixed(0)} ms`);
  const faces = (run) =>
    run.document.photos.map(({ file }, i) => [
      `faces in ${file}`,
      run.what,
      ms(run.document.times.photos[i].firstMs),
      ms(run.document.times.photos[i].steadyMs),
    ]);
  const text = (run) => ["text", run.what, ms(run.document.times.detectMs + run.document.times.readMs), "–"];
  const scene = (run) => [
    "three.js frame",
    run.what,
    ms(run.document.times.firstMs),
    ms(run.document.times.steadyMs),
  ];
  return table(
    ["work", "where", "first", "steady"],
    [
      ...[guests.faces, plain.faces, plain.cpuFaces].flatMap(faces),
      ...[guests.text, plain.text, plain.wasmText].map(text),
      ...[guests.scene, plain.scene].map(scene),
    ],
  );
}

export function differenceTable(rows) {
  const show = (value, limit) => `${value === 0 ? "0" : value.toExponential(1)} (${limit})`;
  return table(
    ["program", "against", "score", "box, pixels", "tensor or colour, relative", "unlike", ""],
    rows.map(({ program, against, score, pixels, relative, mismatched, tolerance, same }) => [
      program,
      against,
      show(score, tolerance.score),
      show(pixels, tolerance.pixels),
      program === "three.js picture"
        ? show(relative, (tolerance.channel / 255).toFixed(4))
        : show(relative, tolerance.relative),
      String(mismatched),
      same ? "same" : "DIFFERS",
    ]),
  );
}
