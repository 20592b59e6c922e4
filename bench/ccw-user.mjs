/** The user of `ccw.mjs` that is a process of its own: has the sockets' paths, and does what it is told, a line of JSON each. */
import { createInterface } from "node:readline";
import { CcwBlockDevice } from "../packages/ccw/dist/index.js";
import { createRuntime } from "../packages/core/dist/index.js";
import { work } from "./ccw-work.mjs";

const runtime = createRuntime();
let devices = [];

async function told({ what, paths, transferBlocks, ms }) {
  if (what === "open") {
    for (const path of paths) devices.push(await CcwBlockDevice.openAt(runtime, path, { transferBlocks }));
    return {};
  }
  if (what === "close") {
    for (const device of devices) await device.close();
    devices = [];
    return {};
  }
  return work(devices, what, ms);
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(await told(JSON.parse(line)))}\n`);
}
