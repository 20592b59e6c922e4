// Gives a Node program `navigator.gpu` and the GPU* globals by Dawn in the program's own process: the way to run
// the examples without any projection, and the reference that projected runs are compared with.
//
//   node --import ./examples/in-process.mjs PROGRAM …     on the machine's own GPU
//   node examples/in-process.mjs [--software] PROGRAM …   the same; on a software GPU where the machine has none, or if told

import { spawn, spawnSync } from "node:child_process";
import { constants } from "node:os";
import { fileURLToPath } from "node:url";
import { create, globals } from "webgpu";

const self = fileURLToPath(import.meta.url);

if (process.argv[1] === self) {
  await launch(process.argv.slice(2));
} else {
  install();
}

function install() {
  Object.assign(globalThis, globals);
  acceptSharedMemory(globals.GPUQueue.prototype);
  // Node 20 has no navigator, later ones have. The property also keeps alive what create() gave, as Dawn requires.
  globalThis.navigator ??= {};
  Object.defineProperty(globalThis.navigator, "gpu", { value: create([]), enumerable: true });
}

/** WebGPU lets programs write from shared memory, as threaded WebAssembly has it; Dawn's binding refuses it. */
function acceptSharedMemory(queue) {
  const unshared = (data) => {
    if (data instanceof SharedArrayBuffer) {
      return new Uint8Array(data).slice();
    }
    if (!(data.buffer instanceof SharedArrayBuffer)) {
      return data;
    }
    return data instanceof DataView
      ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice()
      : data.slice();
  };
  for (const [method, position] of [
    ["writeBuffer", 2],
    ["writeTexture", 1],
  ]) {
    const native = queue[method];
    queue[method] = function (...args) {
      args[position] = unshared(args[position]);
      return native.apply(this, args);
    };
  }
}

/** Runs a program in a fresh process: which Vulkan driver Dawn finds is decided when a process starts. */
async function launch([first, ...rest]) {
  const software = first === "--software";
  const program = software ? rest : [first, ...rest];
  if (program[0] === undefined) {
    console.error("usage: node in-process.mjs [--software] PROGRAM [ARGUMENT…]");
    process.exit(2);
  }
  let env = process.env;
  if (software || !hasAdapter()) {
    const { prepareSoftwareAdapter } = await import("parhelion-engine");
    env = { ...env, ...(await prepareSoftwareAdapter()).env };
  }
  const child = spawn(process.execPath, [...process.execArgv, "--import", import.meta.url, ...program], {
    stdio: "inherit",
    env,
  });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.on(signal, () => child.kill(signal));
  }
  child.on("exit", (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));
}

/** In a process of its own, because Dawn complains aloud about every driver that it does not find. */
function hasAdapter() {
  const probe = "process.exit((await navigator.gpu.requestAdapter()) === null ? 1 : 0)";
  const args = ["--import", import.meta.url, "--input-type=module", "--eval", probe];
  return spawnSync(process.execPath, args, { stdio: "ignore", timeout: 20_000 }).status === 0;
}
