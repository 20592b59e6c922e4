/** This process's (or worker's) GPU object: over the nodes of the guest that it was started in. */
import { createGPU, type GPU } from "./gpu.js";
import { NodeSource } from "./link/node-source.js";
import { type QueueCarrier, QueueConnector } from "./link/queue-connector.js";
import { processRuntime } from "./runtime.js";

const queues = new QueueConnector(() => process.env["PARHELION_CARRIER"]);

const source = new NodeSource({
  directory: () => process.env["PARHELION_DIR"],
  clock: processRuntime.clock,
  connectQueue: (path, token, owner) => queues.connect(path, token, owner),
});

export const gpu: GPU = createGPU(source, processRuntime);

/** One line that says why the last `requestAdapter` gave null; undefined when it gave an adapter. */
export function whyNoAdapter(): string | undefined {
  return source.whyNone();
}

/** What carries the commands of the device that was created last; undefined before the first. */
export function queueCarrier(): QueueCarrier | undefined {
  return queues.last;
}
