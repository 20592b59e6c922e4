import { parentPort, workerData } from "node:worker_threads";
import { loadTarget } from "../targets/index.mjs";
import { Coverage } from "./coverage.mjs";

/** Longer inputs make the repository large and the tests slow. */
const mostBytes = 2048;
const coverage = new Coverage();
const target = await loadTarget(workerData.name);
const run = await target.setup();
process.on("unhandledRejection", () => undefined);
const features = new Set();
const kept = [];
const attempt = async (input) => {
  try {
    return await run(input);
  } catch {
    return undefined;
  }
};
// What the recordings reach by themselves need not be kept a second time.
for (const input of target.seeds()) {
  const feature = await attempt(input);
  if (feature !== undefined) features.add(feature);
}
coverage.look();
for (const input of workerData.inputs
  .filter(({ length }) => length <= mostBytes)
  .sort((a, b) => a.length - b.length)) {
  const feature = await attempt(input);
  const fresh = feature !== undefined && !features.has(feature);
  if (feature !== undefined) features.add(feature);
  if (coverage.look() > 0 || fresh) kept.push(input);
}
parentPort.postMessage(kept);
