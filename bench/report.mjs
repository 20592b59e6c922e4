// The table that the documentation shows.
const ROWS = [
  ["emptySubmitCallerMicroseconds", "`submit([])`, caller", "µs"],
  ["emptySubmitDrainedMicroseconds", "`submit([])`, drained", "µs"],
  ["submitDone", "submit and done, round trip", "ms"],
  ["map256", "256 B copy, map, read", "ms"],
  ["write1MiB", "writeBuffer 1 MiB, awaited", "ms"],
  ["write1MiBPipelined", "writeBuffer 1 MiB, pipelined", "ms"],
  ["write64MiB", "writeBuffer 64 MiB, awaited", "ms"],
  ["write64MiBPipelined", "writeBuffer 64 MiB, pipelined", "ms"],
  ["readback1MiB", "readback 1 MiB", "ms"],
  ["readback64MiB", "readback 64 MiB", "ms"],
  ["dispatchesEncode", "10,000 dispatches in a pass, encode", "ms"],
  ["dispatchesDone", "10,000 dispatches in a pass, done", "ms"],
  ["submitsCaller", "1,000 submits of a dispatch, caller", "ms"],
  ["submitsDone", "1,000 submits of a dispatch, done", "ms"],
  ["modelFirst", "face detection, first", "ms"],
  ["modelSteady", "face detection, steady", "ms"],
  ["firstResult", "process start to first result", "ms"],
];
const BASE = "in process";

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1];
}

function number(value) {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

export function markdown(samples, { description, rounds, machine }) {
  const places = Object.keys(samples).filter((name) => name !== BASE && samples[name].length > 0);
  const cells = (key, unit) => {
    const base = samples[BASE].map((sample) => sample[key]);
    return [
      `${number(median(base))} ${unit}`,
      ...places.map((place) => {
        const ratios = samples[place].map((sample, round) => sample[key] / base[round]);
        return `${median(ratios).toFixed(2)}`;
      }),
    ];
  };
  const lines = [
    `On ${description}; ${machine}; medians of ${rounds} interleaved rounds. First column: time in process on Dawn. Others: ratio to it, smaller is better.`,
    "",
    `| work | ${BASE} | ${places.join(" | ")} |`,
    `|---|${"---|".repeat(places.length + 1)}`,
  ];
  for (const [key, label, unit] of ROWS) {
    if (samples[BASE].every((sample) => sample[key] === undefined)) continue;
    lines.push(`| ${label} | ${cells(key, unit).join(" | ")} |`);
  }
  return lines.join("\n");
}
