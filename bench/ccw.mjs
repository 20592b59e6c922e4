/**
 * Measures blocks of disk images through subchannels that are passed through: channel programs by the VFIO interface,
 * translated, interpreted, and carried out by a 3390, beside reading the same image files directly.
 *
 *   node bench/ccw.mjs [--subchannels 1,2,4,8,16,32,64] [--served 1,8] [--cylinders 6] [--rounds 3] [--ms 200]
 *   or: npm run bench -- ccw [...]
 *
 * Build first (npm run build). All subchannels of a line are busy at once, each with one channel program at a time; figures are
 * of all of them together, medians of the rounds, each of so many ms of processor time. Before the first line everything is done once without being measured, so that
 * no line pays for the compiler. Figures per second of processor time mean something on a busy machine, too. Images are
 * uncompressed and larger than what a disk keeps in memory, so tracks are read from their files, which the operating system has
 * cached. "Durable" writes are on the medium when they settle, the others when the disk is closed.
 */
import { spawn } from "node:child_process";
import { mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { blocksPerTrack } from "../packages/ccw/dist/index.js";
import { blockOffset, imageBytes, machine, TRACK_SIZE, trackOffset, tracksOf } from "./ccw-machine.mjs";
import { measured, place, work } from "./ccw-work.mjs";

const { values } = parseArgs({
  options: {
    subchannels: { type: "string", default: "1,2,4,8,16,32,64" },
    served: { type: "string", default: "1,8" },
    cylinders: { type: "string", default: "6" },
    rounds: { type: "string", default: "3" },
    ms: { type: "string", default: "200" },
  },
});

const TRANSFER_BLOCKS = 60;
const tracks = tracksOf(Number(values.cylinders));
const blocks = tracks * blocksPerTrack;
const ms = Number(values.ms);
const rounds = Number(values.rounds);
const numbers = (list) => list.split(",").filter(Boolean).map(Number);

/** The same reads of the files, a track or a block at a time. */
async function directly(paths) {
  const files = [];
  for (const path of paths) files.push({ file: await open(path, "r"), into: new Uint8Array(TRACK_SIZE) });
  const read = await measured(files, ms, async ({ file, into }, step) => {
    await file.read(into, 0, TRACK_SIZE, trackOffset(step % tracks));
    return blocksPerTrack;
  });
  const random = await measured(files, ms, async ({ file, into }, step) => {
    await file.read(into, 0, 4096, blockOffset(place(step, blocks)));
    return 1;
  });
  for (const { file } of files) await file.close();
  return { read, random };
}

async function through(devices) {
  const done = {};
  for (const what of ["read", "random", "write"]) done[what] = await work(devices, what, ms);
  return done;
}

/** With the devices opened here: blocks when closing is enough, writes when each program is to be durable, and the files. */
async function inProcess(paths) {
  const samples = { passed: [], durable: [], direct: [] };
  for (let round = 0; round < rounds; round += 1) {
    const lazy = await machine(paths, "close");
    samples.passed.push(await through(await lazy.open(TRANSFER_BLOCKS)));
    await lazy.end();
    const strict = await machine(paths, "program");
    samples.durable.push({ write: await work(await strict.open(TRANSFER_BLOCKS), "write", ms) });
    await strict.end();
    samples.direct.push(await directly(paths));
  }
  return samples;
}

/** The user is another process; processor time is that of both. */
async function served(paths, folder) {
  const made = await machine(paths, "close");
  const user = spawn(process.execPath, [join(import.meta.dirname, "ccw-user.mjs")], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const answers = createInterface({ input: user.stdout })[Symbol.asyncIterator]();
  const tell = async (order) => {
    user.stdin.write(`${JSON.stringify(order)}\n`);
    const { value, done } = await answers.next();
    if (done) throw new Error("the user's process has ended");
    return JSON.parse(value);
  };
  const samples = [];
  try {
    await tell({ what: "open", paths: await made.serve(folder), transferBlocks: TRANSFER_BLOCKS });
    for (let round = -2; round < rounds; round += 1) {
      const sample = {};
      for (const what of ["read", "random", "write"]) {
        const used = process.cpuUsage();
        const theirs = await tell({ what, ms });
        const { user: own, system } = process.cpuUsage(used);
        sample[what] = { ...theirs, processor: theirs.processor + (own + system) / 1e6 };
      }
      if (round >= 0) samples.push(sample);
    }
    await tell({ what: "close" });
  } finally {
    user.stdin.end();
    await made.end();
  }
  return samples;
}

function median(samples, figure) {
  const sorted = samples.map(figure).toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1];
}

const shown = (figure) => (figure >= 10 ? figure.toFixed(0) : figure.toPrecision(2));
const rate = (samples, what, by, unit) =>
  median(samples, (sample) => (sample[what].blocks * unit) / sample[what][by]);
const MB = 4096 / 1e6;

/** By the clock, and in brackets per second of processor time. */
const both = (samples, what, unit) =>
  `${shown(rate(samples, what, "clock", unit))} (${shown(rate(samples, what, "processor", unit))})`;

/** How many times the processor time of the other. */
const times = (samples, other, what) =>
  shown(rate(other, what, "processor", 1) / rate(samples, what, "processor", 1));

function row(...cells) {
  console.log(`| ${cells.join(" | ")} |`);
}

function head(...cells) {
  row(...cells);
  console.log(`|${" ---: |".repeat(cells.length)}`);
}

const folder = await mkdtemp(join(tmpdir(), "parhelion-bench-ccw-"));
try {
  const bytes = imageBytes(Number(values.cylinders));
  const paths = [];
  for (
    let index = 0;
    index < Math.max(...numbers(values.subchannels), ...numbers(values.served));
    index += 1
  ) {
    const path = join(folder, `disk${index}.ckd`);
    await writeFile(path, bytes);
    paths.push(path);
  }
  console.log(
    `\n${cpus()[0].model}, ${cpus().length} CPUs, Node ${process.versions.node}; disks of ${blocks} blocks of 4096 bytes\n`,
  );
  for (let warm = 0; warm < 2; warm += 1) await inProcess(paths.slice(0, 2));
  console.log("In brackets: per second of processor time.\n");
  head(
    "subchannels",
    "read, MB/s",
    "the files",
    "times the processor",
    "4 KiB reads/s",
    "of the files",
    "times the processor",
    "write, MB/s",
    "durable",
  );
  for (const size of numbers(values.subchannels)) {
    const { passed, durable, direct } = await inProcess(paths.slice(0, size));
    row(
      size,
      both(passed, "read", MB),
      both(direct, "read", MB),
      times(passed, direct, "read"),
      both(passed, "random", 1),
      both(direct, "random", 1),
      times(passed, direct, "random"),
      both(passed, "write", MB),
      both(durable, "write", MB),
    );
  }
  if (values.served !== "")
    console.log("\nWith the user in another process, over a socket each; processor time of both:\n");
  if (values.served !== "") head("subchannels", "read, MB/s", "4 KiB reads/s", "write, MB/s");
  for (const size of numbers(values.served)) {
    const samples = await served(paths.slice(0, size), folder);
    row(size, both(samples, "read", MB), both(samples, "random", 1), both(samples, "write", MB));
  }
} finally {
  await rm(folder, { recursive: true });
}
