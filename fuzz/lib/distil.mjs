/** Which inputs of a corpus are worth keeping: those that reach something that the ones before them, smaller first, do not. */
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";

/** In a thread of its own: coverage has to be switched on before the code is loaded. */
export function distil(name, _target, inputs) {
  const worker = new Worker(fileURLToPath(new URL("./distil-worker.mjs", import.meta.url)), {
    workerData: { name, inputs: inputs.map((input) => Uint8Array.from(input)) },
  });
  return new Promise((resolve, reject) => {
    worker.once("message", (kept) => void worker.terminate().then(() => resolve(kept)));
    worker.once("error", reject);
  });
}
