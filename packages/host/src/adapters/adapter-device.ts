/** An adapter in the host's device tree; the slices made of it are its children. */
import { type Attribute, type Bus, Device, type Runtime } from "parhelion-core";
import type { AdapterDescription } from "parhelion-protocol";
import type { EngineChoice } from "../engines/launcher.js";
import type { AdapterLedger } from "../slices/ledger.js";
import { AdapterTime } from "../time/adapter-time.js";
import { pausingPolicy, recallingPolicy } from "../time/time-policy.js";
import { describeAdapter } from "../vgpu/adapter-query.js";
import type { AdapterMemory } from "./capacity.js";
import type { AdapterHealth } from "./health.js";
import type { ProbedAdapter } from "./probe.js";

/** What drives a real adapter is Dawn, in the engines: no driver binds here. */
export const adapterBus: Bus = { name: "adapter", match: () => false };

export interface AdapterDeviceInit extends ProbedAdapter {
  readonly name: string;
  readonly memory: AdapterMemory;
  readonly ledger: AdapterLedger;
  /** Default: nobody looks after it. */
  readonly health?: AdapterHealth | undefined;
}

export class AdapterDevice extends Device {
  readonly choice: EngineChoice;
  readonly description: AdapterDescription;
  readonly memory: AdapterMemory;
  /** What its slices have claimed. */
  readonly ledger: AdapterLedger;
  readonly health: AdapterHealth | undefined;
  /** Whose turn it is. */
  readonly time: AdapterTime;

  constructor(runtime: Runtime, init: AdapterDeviceInit) {
    const { name, choice, description, memory, ledger, health } = init;
    super(runtime, {
      name,
      bus: adapterBus,
      attributes: [
        { name: "kind", show: () => `${choice.kind}\n` },
        { name: "description", show: () => `${describeAdapter(description)}\n` },
        { name: "memory_total", show: () => `${memory.bytes}\n` },
        { name: "memory_source", show: () => `${memory.source}\n` },
        { name: "memory_left", show: () => `${ledger.room.memoryBytes}\n` },
        { name: "share_left", show: () => `${ledger.room.share}\n` },
        ...(health === undefined ? [] : healthAttributes(health)),
      ],
    });
    this.choice = choice;
    this.description = description;
    this.memory = memory;
    this.ledger = ledger;
    this.health = health;
    this.time = new AdapterTime(runtime, name, choice.kind === "software" ? pausingPolicy : recallingPolicy);
  }
}

function healthAttributes(health: AdapterHealth): readonly Attribute[] {
  return [
    { name: "health", show: () => `${health.state}\n` },
    { name: "health_reason", show: () => `${health.status.reason}\n` },
  ];
}
