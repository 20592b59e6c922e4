/** Puts a slice into its holder's hands: identity, limits, and the supervision of its engine. */
import { join } from "node:path";
import type { Runtime } from "parhelion-core";
import type { AdapterDevice } from "../adapters/adapter-device.js";
import type { BackOffPolicy } from "../engines/back-off.js";
import { EngineSupervisor } from "../engines/engine-supervisor.js";
import type { EngineSpawner } from "../engines/spawn-engine.js";
import { queueSocketName } from "../guests/run-directory.js";
import { checkSocketPath } from "../state/socket-path.js";
import { Slice } from "./slice.js";
import type { SliceRecord } from "./slice-entry.js";

export class SliceFactory {
  readonly #runtime: Runtime;
  readonly #spawner: EngineSpawner;
  readonly #backOff: BackOffPolicy;

  constructor(runtime: Runtime, spawner: EngineSpawner, backOff: BackOffPolicy) {
    this.#runtime = runtime;
    this.#spawner = spawner;
    this.#backOff = backOff;
  }

  /**
   * Its engine starts when somebody needs it.
   * @param directory its holder's
   * @throws HostError socket-path-too-long
   */
  make(adapter: AdapterDevice, record: SliceRecord, directory: string): Slice {
    const runtime = this.#runtime;
    const { ledger } = adapter;
    const { uuid, index, generation, descriptor } = record;
    const slice: Slice = new Slice(
      {
        uuid,
        pciInstance: runtime.ids.uuid(),
        index,
        generation,
        terms: { descriptor, grantBytes: ledger.grantOf(uuid) },
        description: adapter.description,
        queuePath: checkSocketPath(join(directory, queueSocketName(index))),
        limits: this.#spawner.options.limits,
        runtime,
        time: adapter.time.open(uuid, descriptor),
        onMemory: () => ledger.uses(uuid, slice.memory.usedBytes),
      },
      (slice) => this.#supervise(slice, adapter),
    );
    return slice;
  }

  #supervise(slice: Slice, adapter: AdapterDevice): EngineSupervisor {
    return new EngineSupervisor({
      runtime: this.#runtime,
      slice: slice.uuid,
      backOff: this.#backOff,
      suspectMs: this.#spawner.options.deadlines.suspectMs,
      launch: () =>
        this.#spawner.spawn({
          choice: adapter.choice,
          queuePath: slice.queuePath,
          slice: slice.uuid,
          service: {
            slice: slice.uuid,
            generation: slice.generation,
            quota: slice.takeQuota(),
            time: slice.time === undefined ? "free" : "leased",
          },
          time: slice.time,
          onMemory: (engine, memory) => slice.engineUses(engine, memory),
          onDeviceLost: (engine, device, reason, message) =>
            slice.engineLostDevice(engine, device, { reason, message }),
        }),
      onReady: (description) => slice.describe(description),
      onLost: (engine, loss) => slice.engineLost(engine, loss),
      judge: adapter.health,
    });
  }
}
