/**
 * One slice's engine under supervision, on engines in memory (see in-memory-engines). `supervisionRig(runtime)` starts nothing.
 * In tasks of the runtime: `supervisor.acquire(ms)` is a guest's need for an engine, `supervisor.retire(why)` the slice's end;
 * `engines.started[n].kill()`, `.exit(code)` and `engines.fate` are what an engine does of its own. `losses` has what slices
 * would be told. After `retire` has returned, and the tasks that were under way, no task is left and no engine lives.
 */
import { noDeadline, type Runtime } from "parhelion-core";
import { noSlice } from "parhelion-protocol";
import { type BackOffPolicy, defaultBackOff } from "./back-off.js";
import { defaultEngineDeadlines, type EngineDeadlines, EngineProcess } from "./engine-process.js";
import type { EngineLoss } from "./engine-state.js";
import { EngineSupervisor } from "./engine-supervisor.js";
import { InMemoryEngines } from "./in-memory-engines.test.fixture.js";

export interface SupervisionRig {
  readonly runtime: Runtime;
  readonly engines: InMemoryEngines;
  readonly supervisor: EngineSupervisor;
  readonly losses: { readonly engine: EngineProcess; readonly loss: EngineLoss }[];
  /** How often an engine was started while another lived, or was dying. */
  overlaps: number;
  /** Why the next launches fail before there is an engine; null: they don't. */
  obstacle: Error | null;
}

export interface SupervisionOptions {
  readonly backOff?: Partial<BackOffPolicy>;
  readonly deadlines?: Partial<EngineDeadlines>;
}

export function supervisionRig(runtime: Runtime, options: SupervisionOptions = {}): SupervisionRig {
  const deadlines = { ...defaultEngineDeadlines, ...options.deadlines };
  const engines = new InMemoryEngines(runtime);
  const losses: SupervisionRig["losses"] = [];
  const supervisor = new EngineSupervisor({
    runtime,
    slice: "slice",
    backOff: { ...defaultBackOff, ...options.backOff },
    suspectMs: deadlines.suspectMs,
    async launch() {
      if (rig.obstacle !== null) throw rig.obstacle;
      return new EngineProcess({
        entry: "",
        nodeFlags: [],
        environment: {},
        start: { queuePath: "", dawn: [], forceFallback: false, ...noSlice },
        runtime,
        name: "engine of slice",
        deadlines,
        startChild: (...start) => {
          if (engines.living.length > 0) rig.overlaps += 1;
          return engines.start(...start);
        },
        onOutput: () => undefined,
        onDeviceLost: () => undefined,
      });
    },
    onReady: () => undefined,
    onLost: (engine, loss) => losses.push({ engine, loss }),
  });
  const rig: SupervisionRig = { runtime, engines, supervisor, losses, overlaps: 0, obstacle: null };
  return rig;
}

/** Whether the promise's engine came, and why not; waits as long as the supervisor does. */
export async function engineOrReason(rig: SupervisionRig): Promise<EngineProcess | string> {
  try {
    return await rig.supervisor.acquire(noDeadline);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
