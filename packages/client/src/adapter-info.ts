/** GPUAdapterInfo: what the engine says about its adapter. */
import type { AdapterDescription } from "parhelion-protocol";
import { defineInterface, type INTERNAL, requireInternal } from "./interface/define.js";

export class GPUAdapterInfo {
  readonly #info: AdapterDescription["info"];

  constructor(key: typeof INTERNAL, info: AdapterDescription["info"]) {
    requireInternal(key);
    this.#info = info;
  }

  get vendor(): string {
    return this.#info.vendor;
  }

  get architecture(): string {
    return this.#info.architecture;
  }

  get device(): string {
    return this.#info.device;
  }

  get description(): string {
    return this.#info.description;
  }

  get subgroupMinSize(): number {
    return this.#info.subgroupMinSize;
  }

  get subgroupMaxSize(): number {
    return this.#info.subgroupMaxSize;
  }

  get isFallbackAdapter(): boolean {
    return this.#info.isFallbackAdapter;
  }
}
defineInterface(GPUAdapterInfo, "GPUAdapterInfo");
