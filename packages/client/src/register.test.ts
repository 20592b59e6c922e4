import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";

const register = new URL("./register.js", import.meta.url).href;
const index = new URL("./index.js", import.meta.url).href;

/** Runs `program` in a process of its own; it has to end by itself. */
async function run(program: string, env: NodeJS.ProcessEnv = {}): Promise<unknown> {
  const args = ["--import", register, "--input-type=module", "--eval", program];
  const { PARHELION_DIR: _, ...rest } = process.env;
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { env: { ...rest, ...env } });
  assert.equal(stderr, "");
  return JSON.parse(stdout);
}

test("outside of a guest there is navigator.gpu without an adapter, and it can be asked why", async () => {
  const program = `
    import { gpu, whyNoAdapter } from ${JSON.stringify(index)};
    const adapter = await navigator.gpu.requestAdapter();
    console.log(JSON.stringify([adapter, gpu === navigator.gpu, typeof GPUBufferUsage.MAP_READ,
      [...gpu.wgslLanguageFeatures], gpu.getPreferredCanvasFormat(), whyNoAdapter()]));`;
  const [adapter, same, usage, features, format, why] = (await run(program)) as unknown[];
  assert.deepEqual([adapter, same, usage, features, format], [null, true, "number", [], "bgra8unorm"]);
  assert.match(String(why), /PARHELION_DIR is not set/);
});

test("a guest that is not there any more is no adapter either", async () => {
  const program = `
    import { whyNoAdapter } from ${JSON.stringify(index)};
    console.log(JSON.stringify([await navigator.gpu.requestAdapter(), whyNoAdapter()]));`;
  const [adapter, why] = (await run(program, { PARHELION_DIR: "/nonexistent/guest" })) as unknown[];
  assert.equal(adapter, null);
  assert.match(String(why), /nonexistent.*ENOENT/);
});

test("a worker has a navigator.gpu of its own", async () => {
  const inWorker = `
    const { parentPort } = require("node:worker_threads");
    import(${JSON.stringify(register)}).then(async () => {
      parentPort.postMessage([await navigator.gpu.requestAdapter(), typeof GPUDevice]);
    });`;
  const program = `
    import { Worker } from "node:worker_threads";
    const worker = new Worker(${JSON.stringify(inWorker)}, { eval: true, execArgv: [] });
    worker.once("message", (message) => console.log(JSON.stringify(message)));`;
  assert.deepEqual(await run(program), [null, "function"]);
});
