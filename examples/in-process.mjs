// Gives a Node program `navigator.gpu` and the GPU* globals by Dawn in the program's own process: the way to run
// the examples without any projection, and the reference that projected runs are compared with.
//
//   node --import ./examples/in-process.mjs PROGRAM …   on the machine's own GPU
//   node examples/in-process.mjs PROGRAM …              the same; on a software GPU where the machine has none

import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { create, globals } from "webgpu";

const self = fileURLToPath(import.meta.url);
const gpu = create([]);

if (process.argv[1] === self) {
  await launch(process.argv.slice(2));
} else {
  install();
}

function install() {
  Object.assign(globalThis, globals);
  acceptSharedMemory(globals.GPUQueue.prototype);
  // Node 20 has no navigator, later ones have one that cannot be assigned but can be redefined. Dawn ends with the
  // object that create() gave, so the property also keeps it alive for the life of the process.
  const navigator = Object.create(globalThis.navigator ?? null, { gpu: { value: gpu, enumerable: true } });
  Object.defineProperty(globalThis, "navigator", { value: navigator, configurable: true, writable: true });
}

/** WebGPU lets programs write from shared memory, as threaded WebAssembly has it; Dawn's binding refuses it. */
function acceptSharedMemory(queue) {
  const unshared = (data) => {
    if (data instanceof SharedArrayBuffer) {
      return new Uint8Array(data).slice().buffer;
    }
    return data.buffer instanceof SharedArrayBuffer ? data.slice() : data;
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
async function launch(args) {
  if (args.length === 0) {
    console.error("usage: node in-process.mjs PROGRAM [ARGUMENT…]");
    process.exit(2);
  }
  let env = process.env;
  if ((await gpu.requestAdapter()) === null) {
    const { prepareSoftwareAdapter } = await import("parhelion-engine");
    env = { ...env, ...(await prepareSoftwareAdapter()).env };
  }
  const child = spawn(process.execPath, [...process.execArgv, "--import", import.meta.url, ...args], {
    stdio: "inherit",
    env,
  });
  child.on("exit", (code, signal) => process.exit(code ?? (signal === null ? 1 : 128)));
}
