/**
 * Measures how slices of one adapter share its time: what a slice notices of a neighbour that loops for ever, floods it with
 * submissions or takes all the memory it gets, and whether greedy ones get what their weights say.
 *
 *   node bench/time.mjs [--seconds 10] [--rounds 3] [--adapter best|hardware|software] [--job 10]     or: npm run bench -- time [...]
 *
 * Build first (npm run build). Every number is from programs in guests of one host. Rounds are interleaved, and medians shown.
 */
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "10" },
    rounds: { type: "string", default: "3" },
    adapter: { type: "string", default: "best" },
    job: { type: "string", default: "10" },
    memory: { type: "string", default: "512MiB" },
    only: { type: "string" },
  },
});
const root = fileURLToPath(new URL("..", import.meta.url));
const parhelion = join(root, "packages/parhelion/bin/parhelion.js");
const work = join(root, "bench/time-work.mjs");

/** A process whose standard output is read line by line. */
class Program {
  constructor(args) {
    this.child = spawn(process.execPath, args, { cwd: root, stdio: ["pipe", "pipe", "inherit"] });
    this.ended = new Promise((resolve) => this.child.once("close", resolve));
    this.lines = createInterface({ input: this.child.stdout })[Symbol.asyncIterator]();
  }
  async line() {
    const { value, done } = await this.lines.next();
    if (done) throw new Error("a program ended before it said anything");
    return value;
  }
  async stop() {
    this.child.kill("SIGTERM");
    await this.ended;
  }
}

const state = await mkdtemp(join(tmpdir(), "parhelion-"));
const host = new Program([
  parhelion,
  "host",
  "--state",
  state,
  "--adapter",
  values.adapter,
  "--log-level",
  "error",
  "--json",
]);
const { adapters } = JSON.parse(await host.line());

function guest(role, weight, number, iterations) {
  const slice = ["--type", "shared", "--weight", String(weight), "--memory", values.memory];
  const program = ["--", process.execPath, work, role, String(number), String(iterations)];
  return new Program([parhelion, "run", "--state", state, ...slice, ...program]);
}

/** Lets programs that have begun to be measured run together, beside others. @returns what each measured one printed */
async function together(measured, beside = []) {
  const programs = measured.map(({ role, weight = 1 }) => guest(role, weight, values.seconds, iterations));
  const others = beside.map(({ role, weight = 1 }) => guest(role, weight, 0, 0));
  try {
    for (const program of [...programs, ...others]) await program.line();
    for (const program of programs) program.child.stdin.write("go\n");
    const results = [];
    for (const program of programs) results.push(JSON.parse(await program.line()));
    return results;
  } finally {
    for (const program of [...programs, ...others]) await program.stop();
  }
}

const NEIGHBOURS = ["none", "idle", "modest", "loop", "flood", "allocate"];
const CASES = {
  shares: async () => ({
    "1:1": await together([{ role: "greedy" }, { role: "greedy" }]),
    "1:3": await together([{ role: "greedy" }, { role: "greedy", weight: 3 }]),
    "1:1, the other idle": await together([{ role: "greedy" }], [{ role: "idle" }]),
    alone: await together([{ role: "greedy" }]),
  }),
  neighbours: async () => {
    const results = {};
    for (const role of ["modest", "greedy"])
      for (const neighbour of NEIGHBOURS) {
        const others = neighbour === "none" ? [] : [{ role: neighbour }];
        const [result] =
          neighbour === "modest"
            ? await together([{ role }, { role: "modest" }])
            : await together([{ role }], others);
        results[`${role} beside ${neighbour}`] = result;
      }
    return results;
  },
};

const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];
const percent = (ratio) => `${ratio >= 1 ? "+" : "−"}${Math.abs((ratio - 1) * 100).toFixed(1)} %`;

let iterations;
try {
  const calibration = guest("calibrate", 1, values.job, 0);
  ({ iterations } = JSON.parse(await calibration.line()));
  await calibration.ended;
  const rounds = [];
  for (let round = 1; round <= Number(values.rounds); round++) {
    const results = {};
    for (const [name, measure] of Object.entries(CASES))
      if (values.only === undefined || values.only === name) results[name] = await measure();
    rounds.push(results);
    console.error(`round ${round} of ${values.rounds} done`);
  }
  print(rounds);
} finally {
  await host.stop();
  await rm(state, { recursive: true, force: true });
}

function print(rounds) {
  const machine = `${cpus().length} × ${cpus()[0]?.model ?? "unknown processor"}, Node ${process.versions.node}`;
  console.log(
    `On ${adapters[0].description}; ${machine}; medians of ${rounds.length} rounds of ${values.seconds} s, jobs of about ${values.job} ms.\n`,
  );
  if (rounds[0].shares) printShares(rounds.map(({ shares }) => shares));
  if (rounds[0].neighbours) printNeighbours(rounds.map(({ neighbours }) => neighbours));
}

function printShares(rounds) {
  console.log("| weights | shares of the work done | off by, points | together, to one alone |");
  console.log("|---|---|---|---|");
  const alone = median(rounds.map((round) => round.alone[0].perSecond));
  for (const [name, wanted] of [
    ["1:1", [1, 1]],
    ["1:3", [1, 3]],
    ["1:1, the other idle", [1]],
  ]) {
    const each = wanted.map((_, index) => median(rounds.map((round) => round[name][index].perSecond)));
    const sum = each.reduce((a, b) => a + b, 0);
    const total = wanted.reduce((a, b) => a + b, 0);
    const shares = each.map((value) => (100 * value) / sum);
    const off = Math.max(...shares.map((share, index) => Math.abs(share - (100 * wanted[index]) / total)));
    const cells = [
      shares.map((share) => `${share.toFixed(1)} %`).join(" : "),
      off.toFixed(1),
      percent(sum / alone),
    ];
    console.log(`| ${name} | ${cells.join(" | ")} |`);
  }
  console.log("");
}

function printNeighbours(rounds) {
  console.log("| measured | neighbour | jobs/s | to undisturbed | p50, ms | p99, ms | to undisturbed |");
  console.log("|---|---|---|---|---|---|---|");
  for (const role of ["modest", "greedy"])
    for (const neighbour of NEIGHBOURS) {
      const of = (key, beside) => median(rounds.map((round) => round[`${role} beside ${beside}`][key]));
      // A greedy one beside another that wants all has half: that is its weighted share.
      const contested = role === "greedy" && !["none", "idle", "modest"].includes(neighbour);
      const base = of("perSecond", "none") * (contested ? 0.5 : 1);
      const latency = of("p99", "none") * (contested ? 2 : 1);
      const cells = [of("perSecond", neighbour).toFixed(1), percent(of("perSecond", neighbour) / base)];
      cells.push(of("p50", neighbour).toFixed(1), of("p99", neighbour).toFixed(1));
      cells.push(percent(of("p99", neighbour) / latency));
      console.log(`| ${role} | ${neighbour} | ${cells.join(" | ")} |`);
    }
}
