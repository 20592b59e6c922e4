/** This process's (or worker's) GPU object: over the nodes of the guest that it was started in. */
import { createGPU, type GPU } from "./gpu.js";
import { NodeSource } from "./link/node-source.js";
import { createQueueConnector } from "./link/queue-connector.js";
import { processRuntime } from "./runtime.js";

const source = new NodeSource({
  directory: () => process.env["PARHELION_DIR"],
  clock: processRuntime.clock,
  connectQueue: createQueueConnector(() =>
    process.env["PARHELION_CARRIER"] === "stream" ? "stream" : "best",
  ),
});

export const gpu: GPU = createGPU(source, processRuntime);

/** One line that says why the last `requestAdapter` gave null; undefined when it gave an adapter. */
export function whyNoAdapter(): string | undefined {
  return source.whyNone();
}
