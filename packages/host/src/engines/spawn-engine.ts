/** From a launcher and a choice of adapter to a running child: what probing and slices have in common. */
import { rm } from "node:fs/promises";
import type { Runtime } from "parhelion-core";
import type { HostLimits } from "../limits.js";
import { type EngineDeadlines, EngineProcess } from "./engine-process.js";
import type { EngineChoice, EngineLauncher } from "./launcher.js";

export interface EngineSpawner {
  readonly launcher: EngineLauncher;
  readonly runtime: Runtime;
  readonly limits: HostLimits;
  readonly deadlines: EngineDeadlines;
}

export interface SpawnOptions {
  readonly choice: EngineChoice;
  readonly queuePath: string;
  /** Slice UUID or "probe", for the log. */
  readonly slice: string;
  readonly onDeviceLost: (
    engine: EngineProcess,
    device: number,
    reason: "unknown" | "destroyed",
    message: string,
  ) => void;
}

/** Rejects with what the launcher threw; whether the engine comes up is told by its `ready`. */
export async function spawnEngine(spawner: EngineSpawner, options: SpawnOptions): Promise<EngineProcess> {
  const { launcher, runtime, limits } = spawner;
  const environment = await launcher.environmentFor(options.choice.kind);
  // A predecessor that was killed has left its socket.
  await rm(options.queuePath, { force: true });
  const engine: EngineProcess = new EngineProcess({
    entry: launcher.entry,
    nodeFlags: ["--expose-gc", `--max-old-space-size=${limits.engineHeapMiB}`],
    environment,
    start: {
      queuePath: options.queuePath,
      dawn: options.choice.dawn,
      forceFallback: options.choice.forceFallback,
    },
    deadlines: spawner.deadlines,
    clock: runtime.clock,
    onOutput: (stream, line) =>
      runtime.log("debug", "engine.output", { slice: options.slice, pid: engine.pid, stream, line }),
    onDeviceLost: (device, reason, message) => options.onDeviceLost(engine, device, reason, message),
  });
  return engine;
}
