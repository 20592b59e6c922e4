/** Makes a guest's slice of an adapter: identity, engine supervision, and its place in the device tree. */
import { join } from "node:path";
import type { Runtime, System } from "parhelion-core";
import type { AdapterDevice } from "../adapters/adapter-device.js";
import type { BackOffPolicy } from "../engines/back-off.js";
import { EngineSupervisor } from "../engines/engine-supervisor.js";
import type { EngineSpawner } from "../engines/spawn-engine.js";
import type { Guest } from "../guests/guest.js";
import { queueSocketName } from "../guests/run-directory.js";
import { checkSocketPath } from "../state/socket-path.js";
import { describeSlice } from "./descriptor.js";
import { Slice } from "./slice.js";
import { SliceDevice } from "./slice-device.js";

export class SliceFactory {
  readonly #system: System;
  readonly #spawner: EngineSpawner;
  readonly #backOff: BackOffPolicy;

  constructor(system: System, spawner: EngineSpawner, backOff: BackOffPolicy) {
    this.#system = system;
    this.#spawner = spawner;
    this.#backOff = backOff;
  }

  /**
   * Creates the slice and adds it to the tree, where the `projected` driver shows it to its guest.
   * @param index which of the guest's slices, from 0
   */
  async create(adapter: AdapterDevice, guest: Guest, index: number): Promise<SliceDevice> {
    const runtime: Runtime = this.#system.runtime;
    const slice = new Slice(
      {
        uuid: runtime.ids.uuid(),
        pciInstance: runtime.ids.uuid(),
        index,
        generation: runtime.ids.next("slice-generation"),
        terms: { descriptor: describeSlice({ type: "full" }, 2 ** 40), grantBytes: 2 ** 40 },
        description: adapter.description,
        queuePath: checkSocketPath(join(guest.directory, queueSocketName(index))),
        limits: this.#spawner.options.limits,
        runtime,
      },
      (slice) => this.#supervise(slice, adapter),
    );
    const device = new SliceDevice(runtime, adapter, slice, guest);
    await this.#system.addDevice(device);
    runtime.log("info", "slice.created", {
      slice: slice.uuid,
      generation: slice.generation,
      adapter: adapter.name,
      guest: guest.id,
    });
    return device;
  }

  #supervise(slice: Slice, adapter: AdapterDevice): EngineSupervisor {
    return new EngineSupervisor({
      runtime: this.#system.runtime,
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
            time: "free",
          },
          onMemory: (engine, memory) => slice.engineUses(engine, memory),
          onDeviceLost: (engine, device, reason, message) =>
            slice.engineLostDevice(engine, device, { reason, message }),
        }),
      onReady: (description) => slice.describe(description),
      onLost: (engine, loss) => slice.engineLost(engine, loss),
    });
  }
}
