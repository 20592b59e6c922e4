/** The thread of a `Watcher`. */
import { parentPort, workerData } from "node:worker_threads";
import { type KoffiModule, Libc } from "./libc.js";
import { Turn, type WatcherData } from "./watcher.js";

/** A process that exits without closing the watcher waits for its thread no longer than this, in ms. */
const pollMs = 500;

const { fd, turn } = workerData as WatcherData;
const libc = new Libc((await import("koffi")).default as unknown as KoffiModule);
while (Atomics.load(turn, 0) !== Turn.QUIT) {
  if (!libc.waitReadable(fd, pollMs)) continue;
  if (Atomics.compareExchange(turn, 0, Turn.POLL, Turn.LOOK) !== Turn.POLL) break;
  parentPort?.postMessage(null);
  Atomics.wait(turn, 0, Turn.LOOK);
}
