// The main job: one host, two isolated guests at the same time, unmodified programs with real weights on real pictures,
// and a comparison with the same programs without any projection.
//
//   node examples/main-job/main.mjs [--adapter WHICH] [--out DIR] [--json]
//
// Exit status: 0 when everything agrees within the tolerances, 1 when something failed or differs, 2 for wrong use.
import { mkdir, mkdtemp, rmdir } from "node:fs/promises";
import { constants } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { judge } from "./judge.mjs";
import { atOnce, inGuest, inProcess, runForJson, withHost } from "./processes.mjs";
import { Progress } from "./progress.mjs";
import { differencesTable, findingsTable, timesTable } from "./tables.mjs";

const FACES = "examples/tfjs/faces.mjs";
const TEXT = "examples/onnx/read-text.mjs";
const SCENE = "examples/three/scene.mjs";
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"];
const USAGE = "usage: main.mjs [--adapter best|hardware|software|PART-OF-A-GPU'S-NAME] [--out DIR] [--json]";

const { adapter, out, json } = readOptions();
const progress = new Progress();

const stop = new AbortController();
for (const signal of SIGNALS) {
  process.on(signal, () => stop.abort({ signal }));
}
try {
  process.exitCode = await main();
} catch (error) {
  if (stop.signal.aborted) {
    const { signal } = stop.signal.reason;
    console.error(`ended by ${signal}`);
    process.exitCode = 128 + constants.signals[signal];
  } else {
    console.error(`failed: ${error.message}`);
    process.exitCode = 1;
  }
}
for (const signal of SIGNALS) process.removeAllListeners(signal);

async function main() {
  await makeOutputDirectory();
  const { host, runs } = await withHost(adapter, stop.signal, async (state, { adapters: [found] }) => {
    progress.tell(`host ready on ${found.description} (${found.kind})`);
    progress.tell("two guests at once: faces by TensorFlow.js, text by ONNX Runtime Web");
    return { host: found, runs: await atOnce(2, tasks(state, found.kind), stop.signal) };
  });
  const documents = Object.fromEntries(Object.entries(runs).map(([name, { document }]) => [name, document]));
  const { differences, problems } = await judge(documents);
  const pictures = [...documents.faces.photos, documents.text, documents.scene].map(({ picture }) => picture);

  if (json) {
    const seconds = progress.seconds;
    console.log(
      JSON.stringify({
        same: problems.length === 0,
        adapter: host,
        ...documents,
        differences,
        pictures,
        seconds,
      }),
    );
  } else {
    console.log(`\nFound in the guests, on ${host.description}\n\n${findingsTable(documents)}\n`);
    console.log(`Times\n\n${timesTable(Object.values(runs))}\n`);
    console.log(`Largest differences (tolerances in parentheses)\n\n${differencesTable(differences)}\n`);
    console.log(`Pictures\n\n${pictures.map((path) => `  ${path}`).join("\n")}\n`);
    console.log(
      `${problems.length === 0 ? "Everything agrees" : "NOT right"}, after ${progress.seconds.toFixed(0)} s.`,
    );
  }
  for (const problem of problems) console.error(`failed: ${problem}`);
  return problems.length === 0 ? 0 : 1;
}

/** In their order, two at a time: the guests come first, and the references fill the gaps. */
function tasks(state, kind) {
  // One look at a picture is enough for results; a second tells a GPU's real speed, and costs a software GPU half a minute.
  const faces = [FACES, "--json", "--repeats", kind === "software" ? "0" : "5"];
  const text = [TEXT, "--json", "--build", "all"];
  const scene = [SCENE, "--json"];
  const guest = (name, program) => inGuest(state, name, out, [...program, "--out", out]);
  return {
    faces: task("guest 1, faces", guest("faces", faces)),
    text: task("guest 2, text", guest("text", text)),
    scene: task("guest 3, three.js", guest("scene", scene)),
    plainText: task("text on Dawn in process", inProcess(kind, text)),
    plainFaces: task("faces on Dawn in process", inProcess(kind, faces)),
    cpuFaces: task("faces by TensorFlow.js CPU", [...faces, "--backend", "cpu"]),
    plainScene: task(
      "three.js on Dawn in process",
      inProcess(kind, [...scene, "--out", join(out, "in-process")]),
    ),
    wasmText: task("text by ONNX Runtime wasm", [...text, "--provider", "wasm"]),
  };
}

/** One program, which says so when it is done. */
function task(where, args) {
  return async (signal) => {
    const run = await runForJson(where, args, signal);
    progress.tell(`${where}: ${(run.milliseconds / 1000).toFixed(1)} s`);
    progress.repeat(run.said);
    return { where, ...run };
  };
}

async function makeOutputDirectory() {
  try {
    await mkdir(out, { recursive: true });
    // Trying says more than permissions do, and now rather than when the work is done.
    await rmdir(await mkdtemp(join(out, ".trial-")));
  } catch (error) {
    throw new Error(`cannot write pictures to ${out}: ${error.message}; choose another directory with --out`);
  }
}

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        adapter: { type: "string", default: "best" },
        out: { type: "string", default: "out" },
        json: { type: "boolean", default: false },
      },
    });
    return { ...values, out: resolve(values.out) };
  } catch (error) {
    console.error(`${error.message}\n${USAGE}`);
    process.exit(2);
  }
}
