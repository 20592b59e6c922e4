// `npm run bench`: the same work in process on Dawn and through a slice over each carrier, in one run, as ratios.
//
//   npm run bench -- [--rounds N] [--quick] [--adapter best|hardware|software] [--write-docs] [--no-model]
//
// Rounds are interleaved (every place once, then every place again), because machines drift; a ratio is taken within a
// round, and the median of the rounds is shown.
import { readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { parseArgs } from "node:util";
import { lastJson, root, run, withPlaces } from "./places.mjs";
import { markdown } from "./report.mjs";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "3" },
    quick: { type: "boolean", default: false },
    adapter: { type: "string", default: "best" },
    only: { type: "string" },
    model: { type: "boolean", default: true },
    "write-docs": { type: "boolean", default: false },
  },
  allowNegative: true,
});

/** One photograph at a size that leaves time for several rounds on a software GPU. */
const MODEL = [
  ...["--json", "--size", "224", "--threshold", "0.4", "--repeats", "7"],
  join(root, "node_modules/@vladmandic/face-api/demo/sample5.jpg"),
];

async function measure({ args, env }) {
  const work = await run([...args, "bench/work.mjs", ...(values.quick ? ["--quick"] : [])], env);
  const results = lastJson(work.out);
  const start = performance.now();
  await run([...args, "bench/first-result.mjs"], env);
  results.firstResult = performance.now() - start;
  if (!values.model) return results;
  const model = await run([...args, "examples/tfjs/faces.mjs", ...MODEL], env);
  const { times } = lastJson(model.out);
  results.modelFirst = times.photos[0].firstMs;
  results.modelSteady = times.photos[0].steadyMs;
  return results;
}

await withPlaces(values.adapter, async ({ places, description }) => {
  const rounds = Number(values.rounds);
  const samples = Object.fromEntries(Object.keys(places).map((name) => [name, []]));
  for (let round = 1; round <= rounds; round++) {
    for (const [name, place] of Object.entries(places)) {
      if (values.only !== undefined && name !== "in process" && !values.only.split(",").includes(name))
        continue;
      const start = performance.now();
      samples[name].push(await measure(place));
      console.error(
        `round ${round} of ${rounds}, ${name}: ${((performance.now() - start) / 1000).toFixed(1)} s`,
      );
    }
  }
  const text = markdown(samples, {
    description,
    rounds,
    machine: `${cpus().length} × ${cpus()[0]?.model ?? "unknown processor"}, Node ${process.versions.node}`,
  });
  console.log(text);
  if (values["write-docs"]) writeDocs(text);
});

function writeDocs(text) {
  const path = join(root, "docs/benchmarks.md");
  const [head, tail] = ["<!-- printed by npm run bench -->", "<!-- end -->"];
  const page = readFileSync(path, "utf8");
  const from = page.indexOf(head) + head.length;
  const to = page.indexOf(tail);
  writeFileSync(path, `${page.slice(0, from)}\n\n${text}\n\n${page.slice(to)}`);
}
