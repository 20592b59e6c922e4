// biome-ignore-all lint/complexity/noArguments: WebIDL counts arguments, and a rest parameter allocates.
/** The two pipelines. Their bind group layouts are answered here, without waiting: the engine fills the numbers in. */
import { encode, HANDLE, InterfaceKind, OWNER, wrapU32 } from "parhelion-protocol";
import { create } from "./creation.js";
import { defineInterface, requireArguments } from "./interface/define.js";
import { GPUObjectBase } from "./interface/object-base.js";
import { GPUBindGroupLayout } from "./opaque-objects.js";

/**
 * Libraries ask for the layout before every dispatch, so it is made once. An index beyond this is an error, which the
 * engine has to raise each time.
 */
const cachedLayouts = 4;

export class GPUComputePipeline extends GPUObjectBase {
  readonly #layouts: (GPUBindGroupLayout | undefined)[] = [];

  getBindGroupLayout(index: unknown): GPUBindGroupLayout {
    requireArguments("GPUComputePipeline.getBindGroupLayout", arguments.length, 1);
    const group = wrapU32(index, "getBindGroupLayout: index");
    const known = this.#layouts[group];
    if (known !== undefined) return known;
    const layout = create(this[OWNER], GPUBindGroupLayout, (stream, id) => {
      encode.computePipelineGetBindGroupLayout(stream, this[HANDLE], id, group);
      return "";
    });
    if (group < cachedLayouts) this.#layouts[group] = layout;
    return layout;
  }
}
defineInterface(GPUComputePipeline, "GPUComputePipeline", { kind: InterfaceKind.GPUComputePipeline });

export class GPURenderPipeline extends GPUObjectBase {
  readonly #layouts: (GPUBindGroupLayout | undefined)[] = [];

  getBindGroupLayout(index: unknown): GPUBindGroupLayout {
    requireArguments("GPURenderPipeline.getBindGroupLayout", arguments.length, 1);
    const group = wrapU32(index, "getBindGroupLayout: index");
    const known = this.#layouts[group];
    if (known !== undefined) return known;
    const layout = create(this[OWNER], GPUBindGroupLayout, (stream, id) => {
      encode.renderPipelineGetBindGroupLayout(stream, this[HANDLE], id, group);
      return "";
    });
    if (group < cachedLayouts) this.#layouts[group] = layout;
    return layout;
  }
}
defineInterface(GPURenderPipeline, "GPURenderPipeline", { kind: InterfaceKind.GPURenderPipeline });
