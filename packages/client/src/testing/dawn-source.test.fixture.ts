/// <reference types="@webgpu/types" />
/** For tests: adapters of this process's Dawn, reached through in-process rings. */
import {
  type AdapterDescription,
  createInProcessPair,
  type DeviceRequest,
  type QueueGeometry,
} from "parhelion-protocol";
import {
  AdapterGoneError,
  type AdapterLink,
  type AdapterSource,
  DeviceRefusedError,
  type OpenedDevice,
  type SliceLink,
} from "../link/adapter-source.js";
import { DawnEngine } from "./dawn-engine.test.fixture.js";

export interface OpenedEngine {
  readonly engine: DawnEngine;
  /** As when the node tells of a loss. */
  tellLost(message: string): void;
  /** As when the engine's process ends. */
  hangUp(reason: Error): void;
  readonly state: () => "open" | "released";
}

export class DawnSource implements AdapterSource {
  /** In the order of their creation; the queue's serial is the index. */
  readonly engines: OpenedEngine[] = [];
  /** "gone": what is asked of an adapter fails as when its node went away. */
  adapterState: "there" | "gone" = "there";
  readonly #dawn: GPU;
  readonly #geometry: QueueGeometry | undefined;

  constructor(dawn: GPU, geometry?: QueueGeometry) {
    this.#dawn = dawn;
    this.#geometry = geometry;
  }

  whyNone(): string | undefined {
    return undefined;
  }

  wgslLanguageFeatures(): readonly string[] {
    return [...this.#dawn.wgslLanguageFeatures];
  }

  /** Those who listen for adapters. */
  readonly changeListeners = new Set<() => void>();
  /** What adapters are slices of. */
  slice: SliceLink | null = null;

  onAdaptersChanged(listener: () => void): () => void {
    this.changeListeners.add(listener);
    return () => this.changeListeners.delete(listener);
  }

  async openAdapter(accept: (description: AdapterDescription) => boolean): Promise<AdapterLink | null> {
    const adapter = await this.#dawn.requestAdapter();
    if (adapter === null) return null;
    const description = describe(adapter, this.wgslLanguageFeatures());
    if (!accept(description)) return null;
    const { slice } = this;
    return { description, slice, createDevice: (request) => this.#createDevice(adapter, request) };
  }

  async #createDevice(adapter: GPUAdapter, request: DeviceRequest): Promise<OpenedDevice> {
    if (this.adapterState === "gone") throw new AdapterGoneError("the adapter was unplugged");
    const device = await adapter
      .requestDevice({
        label: request.label,
        requiredFeatures: request.requiredFeatures as GPUFeatureName[],
        requiredLimits: request.requiredLimits as Record<string, number>,
        defaultQueue: { label: request.defaultQueueLabel },
      })
      .catch((error: unknown) => {
        const { name, message } = error as Error;
        throw new DeviceRefusedError(name, message);
      });
    const [port, enginePort] = createInProcessPair(
      this.#geometry === undefined ? {} : { geometry: this.#geometry },
    );
    const engine = new DawnEngine(enginePort, device, (queue) => this.engines[queue]?.engine.objects);
    let listener: ((message: string) => void) | undefined;
    let state: "open" | "released" = "open";
    const serial = this.engines.length;
    this.engines.push({
      engine,
      tellLost: (message) => listener?.(message),
      hangUp: (reason) => enginePort.close(reason),
      state: () => state,
    });
    return {
      grant: { features: [...device.features], limits: limitsOf(device.limits) },
      port,
      serial,
      onLost: (heard) => {
        listener = heard;
      },
      release: () => {
        if (state === "released") return;
        state = "released";
        port.close();
        device.destroy();
      },
    };
  }
}

function describe(adapter: GPUAdapter, wgslLanguageFeatures: readonly string[]): AdapterDescription {
  const { vendor, architecture, device, description, isFallbackAdapter } = adapter.info;
  const { subgroupMinSize = 4, subgroupMaxSize = 128 } = adapter.info;
  return {
    info: { vendor, architecture, device, description, subgroupMinSize, subgroupMaxSize, isFallbackAdapter },
    features: [...adapter.features],
    limits: limitsOf(adapter.limits),
    wgslLanguageFeatures,
  };
}

function limitsOf(limits: GPUSupportedLimits): Record<string, number> {
  const values: Record<string, number> = {};
  for (const name in limits) {
    const value: unknown = Reflect.get(limits, name);
    if (typeof value === "number") values[name] = value;
  }
  return values;
}
