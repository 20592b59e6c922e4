/** Opens command queues: through shared memory where `koffi` is installed and the engine can, else as a stream. */
import {
  connectQueue,
  type KoffiModule,
  openSharedMemory,
  type SharedMemoryProvider,
} from "parhelion-protocol";
import type { QueueConnector } from "./node-adapter.js";

/** "stream": not even try shared memory. */
export type CarrierChoice = "best" | "stream";

/** A connector that loads `koffi` when the first queue is opened, once. */
export function createQueueConnector(carrier: () => CarrierChoice): QueueConnector {
  let sharedMemory: Promise<SharedMemoryProvider | undefined> | undefined;
  return async (path, token) => {
    if (carrier() === "stream") return connectQueue({ endpoint: { path }, token });
    sharedMemory ??= loadSharedMemory();
    return connectQueue({ endpoint: { path }, token, sharedMemory: await sharedMemory });
  };
}

async function loadSharedMemory(): Promise<SharedMemoryProvider | undefined> {
  try {
    const koffi = (await import("koffi")) as unknown as { readonly default: KoffiModule };
    return openSharedMemory(koffi.default);
  } catch {
    // Not installed, or not for this platform: a stream carries the same.
    return undefined;
  }
}
