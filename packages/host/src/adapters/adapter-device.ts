/** An adapter in the host's device tree; the slices made of it are its children. */
import { type Bus, Device, type Runtime } from "parhelion-core";
import type { AdapterDescription } from "parhelion-protocol";
import type { EngineChoice } from "../engines/launcher.js";
import { describeAdapter } from "../vgpu/adapter-query.js";
import type { ProbedAdapter } from "./probe.js";

/** What drives a real adapter is Dawn, in the engines: no driver binds here. */
export const adapterBus: Bus = { name: "adapter", match: () => false };

export class AdapterDevice extends Device {
  readonly choice: EngineChoice;
  readonly description: AdapterDescription;

  constructor(runtime: Runtime, name: string, { choice, description }: ProbedAdapter) {
    super(runtime, {
      name,
      bus: adapterBus,
      attributes: [
        { name: "kind", show: () => `${choice.kind}\n` },
        { name: "description", show: () => `${describeAdapter(description)}\n` },
      ],
    });
    this.choice = choice;
    this.description = description;
  }
}
