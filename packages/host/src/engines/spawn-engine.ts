/** From a launcher and a choice of adapter to a running child: what probing and slices have in common. */
import { dirname } from "node:path";
import { invoke, type Runtime } from "parhelion-core";
import { type EngineMemory, type EngineService, noSlice } from "parhelion-protocol";
import { HostError } from "../host-error.js";
import type { HostLimits } from "../limits.js";
import type { TimeShare } from "../time/time-share.js";
import type { StartEngineChild } from "./engine-child.js";
import { type EngineDeadlines, EngineProcess } from "./engine-process.js";
import type { EngineChoice, EngineLauncher } from "./launcher.js";

export interface EngineSpawnerOptions {
  readonly launcher: EngineLauncher;
  readonly runtime: Runtime;
  readonly limits: HostLimits;
  readonly deadlines: EngineDeadlines;
  /** Added to every engine's environment. */
  readonly mark?: NodeJS.ProcessEnv;
  /** Default: a child process. */
  readonly startChild?: StartEngineChild | undefined;
}

export interface SpawnOptions {
  readonly choice: EngineChoice;
  readonly queuePath: string;
  /** Slice UUID or "probe", for the log. */
  readonly slice: string;
  /** See EngineProcessOptions. */
  readonly time?: TimeShare | undefined;
  /** Default: nobody. */
  readonly service?: EngineService;
  readonly onMemory?: (engine: EngineProcess, memory: EngineMemory) => void;
  readonly onDeviceLost: (
    engine: EngineProcess,
    device: number,
    reason: "unknown" | "destroyed",
    message: string,
  ) => void;
}

export class EngineSpawner {
  readonly name = "engines";
  readonly options: EngineSpawnerOptions;
  readonly #living = new Set<EngineProcess>();
  #state: "open" | "closed" = "open";

  constructor(options: EngineSpawnerOptions) {
    this.options = options;
  }

  /** Rejects with what the launcher threw; whether the engine comes up is told by its `ready`. */
  async spawn(options: SpawnOptions): Promise<EngineProcess> {
    const { launcher, runtime, limits, deadlines, mark, startChild } = this.options;
    const environment = await invoke(runtime, "engine.environment", this, () =>
      launcher.environmentFor(options.choice.kind),
    );
    runtime.scheduler.access(this, "write");
    if (this.#state === "closed") throw new HostError("host-stopping", "the host has stopped");
    const engine: EngineProcess = new EngineProcess({
      entry: launcher.entry,
      nodeFlags: ["--expose-gc", `--max-old-space-size=${limits.engineHeapMiB}`],
      environment: { ...environment, ...mark },
      directory: dirname(options.queuePath),
      start: {
        queuePath: options.queuePath,
        dawn: options.choice.dawn,
        forceFallback: options.choice.forceFallback,
        ...(options.service ?? noSlice),
      },
      deadlines,
      runtime,
      name: `engine of ${options.slice}`,
      startChild,
      time: options.time,
      onOutput: (stream, line) =>
        runtime.log("debug", "engine.output", { slice: options.slice, engine: engine.pid, stream, line }),
      onMemory: (memory) => options.onMemory?.(engine, memory),
      onDeviceLost: (device, reason, message) => options.onDeviceLost(engine, device, reason, message),
    });
    this.#living.add(engine);
    runtime.scheduler.spawn(`end of ${engine.name}`, async () => {
      await engine.whenExited();
      runtime.scheduler.access(this, "write");
      this.#living.delete(engine);
    });
    return engine;
  }

  /** Kills what still runs, starts nothing any more, and waits until all are gone: a kill can't be refused. */
  async close(cause: string): Promise<void> {
    this.options.runtime.scheduler.access(this, "write");
    this.#state = "closed";
    const living = [...this.#living];
    for (const engine of living) engine.kill(cause);
    for (const engine of living) await engine.whenExited();
  }
}
