/** GPU: the one object that everything else comes from, and the debug answer to "why is there no adapter". */
import { convertGPURequestAdapterOptions } from "parhelion-protocol";
import { GPUAdapter } from "./adapter.js";
import { defineInterface, INTERNAL, requireInternal } from "./interface/define.js";
import type { AdapterSource } from "./link/adapter-source.js";
import { DeviceRegistry } from "./link/device-registry.js";
import type { ClientRuntime } from "./runtime.js";
import { GPUSlices } from "./slice.js";
import { WGSLLanguageFeatures } from "./supported-features.js";

const featureLevels: ReadonlySet<string> = new Set(["core", "compatibility"]);

export class GPU {
  readonly #source: AdapterSource;
  readonly #runtime: ClientRuntime;
  readonly #registry = new DeviceRegistry();
  readonly #slices: GPUSlices;
  #languageFeatures: WGSLLanguageFeatures | undefined;

  constructor(key: typeof INTERNAL, source: AdapterSource, runtime: ClientRuntime) {
    requireInternal(key);
    this.#source = source;
    this.#runtime = runtime;
    this.#slices = new GPUSlices(INTERNAL, (changed) => source.onAdaptersChanged(changed));
  }

  /** Parhelion's own: tells when adapters appear and go. */
  get slices(): GPUSlices {
    return this.#slices;
  }

  requestAdapter(options: unknown = {}): Promise<GPUAdapter | null> {
    return new Promise((resolve, reject) => {
      const { featureLevel, forceFallbackAdapter } = convertGPURequestAdapterOptions(options);
      if (!featureLevels.has(featureLevel)) {
        resolve(null);
        return;
      }
      // powerPreference chooses among the adapters of one guest; what a guest has, its host chose.
      this.#source
        .openAdapter((adapter) => !forceFallbackAdapter || adapter.info.isFallbackAdapter)
        .then((link) => {
          resolve(link === null ? null : new GPUAdapter(INTERNAL, link, this.#registry, this.#runtime));
        }, reject);
    });
  }

  getPreferredCanvasFormat(): string {
    return "bgra8unorm";
  }

  get wgslLanguageFeatures(): WGSLLanguageFeatures {
    this.#languageFeatures ??= new WGSLLanguageFeatures(INTERNAL, this.#source.wgslLanguageFeatures());
    return this.#languageFeatures;
  }
}
defineInterface(GPU, "GPU");

/** A GPU whose adapters come from `source`. */
export function createGPU(source: AdapterSource, runtime: ClientRuntime): GPU {
  return new GPU(INTERNAL, source, runtime);
}
