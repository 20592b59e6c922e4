/** Holds a driver's callers to the order of a binding: every probe that succeeds has one remove before the next probe. */
import type { Driver } from "parhelion-core";
import type { World } from "../program.js";

type Stage = "unbound" | "probing" | "bound" | "removing";

/** @returns a driver that does the same, to be registered in its place */
export function watchDriver<D extends { readonly name: string }, S>(
  world: World,
  driver: Driver<D, S>,
): Driver<D, S> {
  const stages = new Map<D, Stage>();
  const enter = (device: D, stage: Stage, from: Stage) => {
    const was = stages.get(device) ?? "unbound";
    world.expect(
      was === from,
      `${driver.name} is ${stage} ${device.name}, which is ${was}: each probe that succeeds has one remove before the next`,
      "invariant",
    );
    stages.set(device, stage);
  };
  const watched: Driver<D, S> = {
    ...driver,
    probe: async (device) => {
      enter(device, "probing", "unbound");
      try {
        const state = await driver.probe(device);
        stages.set(device, "bound");
        return state;
      } catch (error) {
        stages.set(device, "unbound");
        throw error;
      }
    },
    remove: async (device, state) => {
      enter(device, "removing", "bound");
      try {
        await driver.remove?.(device, state);
      } finally {
        stages.set(device, "unbound");
      }
    },
  };
  return watched;
}
