/**
 * Creation of shader modules and pipelines, charged by estimates. WebGPU knows no shader module that fails for lack of memory:
 * such a failure is to show when a pipeline is made of it. A pipeline's is an internal error.
 */
import type { EngineDevice } from "../device.js";
import type { Admission } from "./admission.js";
import { silently } from "./resources.js";
import { pipelineBytes, shaderModuleBytes } from "./sizes.js";
import { keep } from "./trail.js";

/** What is made of modules. */
export type PipelineDescriptor = GPUComputePipelineDescriptor | GPURenderPipelineDescriptor;

/** There was no memory for an asynchronous pipeline: WebGPU's reason for that is "internal". */
export class PipelineRefused extends Error {
  override readonly name = "PipelineRefused";
  readonly reason = "internal";
}

interface Need {
  readonly bytes: number;
  /** For the message. */
  readonly what: string;
  /** There was no memory for one of its modules already. */
  readonly refused: string | undefined;
}

interface ModuleNote {
  readonly source: number;
  /** Why there was no memory for it. */
  readonly refused: string | undefined;
}

export class Programs {
  readonly #device: EngineDevice;
  readonly #admission: Admission;
  readonly #modules = new WeakMap<GPUShaderModule, ModuleNote>();

  constructor(device: EngineDevice, admission: Admission) {
    this.#device = device;
    this.#admission = admission;
  }

  /** @throws CommandDeferred */
  module(descriptor: GPUShaderModuleDescriptor): GPUShaderModule {
    const { dawn, alive, account } = this.#device;
    if (!alive) return dawn.createShaderModule(descriptor);
    const source = descriptor.code.length;
    const bytes = shaderModuleBytes(source);
    const refused = this.#admission.memory(bytes, "createShaderModule");
    const module =
      refused === undefined
        ? dawn.createShaderModule(descriptor)
        : silently(dawn, () => dawn.createShaderModule({ label: descriptor.label ?? "", code: "invalid" }));
    this.#modules.set(module, { source, refused });
    if (refused === undefined) account.hold(module, bytes);
    return module;
  }

  /**
   * The pipeline that `make` makes when there is memory for it.
   * @throws PipelineRefused (rejects with it), what `make` rejects with
   */
  async pipelineLater<T extends GPUComputePipeline | GPURenderPipeline>(
    descriptor: PipelineDescriptor,
    make: () => Promise<T>,
  ): Promise<T> {
    const need = this.#need(descriptor);
    const { bytes, what } = need;
    const refused = need.refused ?? (await this.#admission.memoryLater(bytes, what));
    if (refused !== undefined) throw new PipelineRefused(refused);
    try {
      return this.#made(await make(), descriptor, bytes);
    } catch (error) {
      this.#device.account.giveBack(bytes);
      throw error;
    }
  }

  #need(descriptor: PipelineDescriptor): Need {
    const compute = "compute" in descriptor;
    const what = compute ? "createComputePipeline" : "createRenderPipeline";
    if (!this.#device.alive) return { bytes: 0, what, refused: undefined };
    let source = 0;
    let refused: string | undefined;
    for (const module of modulesOf(descriptor)) {
      const note = this.#modules.get(module);
      refused ??= note?.refused;
      source += note?.source ?? 0;
    }
    return { bytes: pipelineBytes(compute ? "compute" : "render", source), what, refused };
  }

  /** @throws CommandDeferred; what Dawn throws */
  pipeline<T extends GPUComputePipeline | GPURenderPipeline>(
    descriptor: PipelineDescriptor,
    make: () => T,
    makeInvalid: () => T,
  ): T {
    const need = this.#need(descriptor);
    const { bytes, what } = need;
    const refused = need.refused ?? this.#admission.memory(bytes, what);
    if (refused !== undefined) {
      const invalid = silently(this.#device.dawn, makeInvalid);
      this.#device.raise({ kind: "internal", message: refused });
      return invalid;
    }
    try {
      return this.#made(make(), descriptor, bytes);
    } catch (error) {
      this.#device.account.giveBack(bytes);
      throw error;
    }
  }

  #made<T extends GPUComputePipeline | GPURenderPipeline>(
    pipeline: T,
    descriptor: PipelineDescriptor,
    bytes: number,
  ): T {
    keep(pipeline, [...modulesOf(descriptor)]);
    if (bytes > 0) this.#device.account.hold(pipeline, bytes);
    return pipeline;
  }
}

function* modulesOf(descriptor: PipelineDescriptor): Iterable<GPUShaderModule> {
  if ("compute" in descriptor) {
    yield descriptor.compute.module;
    return;
  }
  yield descriptor.vertex.module;
  if (descriptor.fragment !== undefined) yield descriptor.fragment.module;
}
