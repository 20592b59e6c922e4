/** Finds out whether an adapter works: a fresh engine of no slice starts on it and makes a device. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { EngineChoice } from "../engines/launcher.js";
import type { EngineSpawner } from "../engines/spawn-engine.js";

/** @param ended aborted when nobody wants to know any more */
export type HealthProbe = (choice: EngineChoice, ended: AbortSignal) => Promise<void>;

/** @param directory where a socket can be for as long as a probe takes */
export function healthProbe(spawner: EngineSpawner, directory: string): HealthProbe {
  return async (choice, ended) => {
    const { ids } = spawner.options.runtime;
    // Several adapters may be probed at once.
    const queuePath = join(directory, `p${ids.next("health-probe")}.sock`);
    try {
      await tryEngine(spawner, choice, queuePath, ended);
    } finally {
      await rm(queuePath, { force: true });
    }
  };
}

async function tryEngine(
  spawner: EngineSpawner,
  choice: EngineChoice,
  queuePath: string,
  ended: AbortSignal,
): Promise<void> {
  const engine = await spawner.spawn({ choice, queuePath, slice: "probe", onDeviceLost: () => undefined });
  const giveUp = () => engine.kill("nobody wants to know any more");
  ended.addEventListener("abort", giveUp, { once: true });
  if (ended.aborted) giveUp();
  try {
    await engine.whenReady();
    const nothing = { label: "", requiredFeatures: [], requiredLimits: {}, defaultQueueLabel: "" };
    await engine.createDevice(1, 1, nothing);
  } finally {
    ended.removeEventListener("abort", giveUp);
    await engine.stop("the probe is over");
  }
}
