// biome-ignore-all lint/complexity/noArguments: WebIDL counts arguments, and a rest parameter allocates.
/** The two pipelines. Their bind group layouts are answered here, without waiting: the engine fills the numbers in. */
import { type CommandStream, encode, HANDLE, InterfaceKind, OWNER, wrapU32 } from "parhelion-protocol";
import { create } from "./creation.js";
import { defineInterface, requireArguments } from "./interface/define.js";
import { GPUObjectBase } from "./interface/object-base.js";
import { GPUBindGroupLayout } from "./opaque-objects.js";

/** An index beyond every adapter's maxBindGroups is an error, which the engine has to raise each time. */
const mostGroups = 4;

type EncodeLayout = (stream: CommandStream, self: number, id: number, index: number) => void;

/** Libraries ask for a layout before every dispatch: the engine makes it once, and each answer is a new object for it. */
class Layouts {
  readonly #known: GPUBindGroupLayout[] = [];

  get(pipeline: GPUObjectBase, index: unknown, encodeLayout: EncodeLayout): GPUBindGroupLayout {
    const group = wrapU32(index, "getBindGroupLayout: index");
    const known = this.#known[group];
    if (known !== undefined) return GPUBindGroupLayout.again(known);
    const layout = create(pipeline[OWNER], GPUBindGroupLayout, (stream, id) => {
      encodeLayout(stream, pipeline[HANDLE], id, group);
      return "";
    });
    if (group < mostGroups) this.#known[group] = layout;
    return layout;
  }
}

export class GPUComputePipeline extends GPUObjectBase {
  readonly #layouts = new Layouts();

  getBindGroupLayout(index: unknown): GPUBindGroupLayout {
    requireArguments("GPUComputePipeline.getBindGroupLayout", arguments.length, 1);
    return this.#layouts.get(this, index, encode.computePipelineGetBindGroupLayout);
  }
}
defineInterface(GPUComputePipeline, "GPUComputePipeline", { kind: InterfaceKind.GPUComputePipeline });

export class GPURenderPipeline extends GPUObjectBase {
  readonly #layouts = new Layouts();

  getBindGroupLayout(index: unknown): GPUBindGroupLayout {
    requireArguments("GPURenderPipeline.getBindGroupLayout", arguments.length, 1);
    return this.#layouts.get(this, index, encode.renderPipelineGetBindGroupLayout);
  }
}
defineInterface(GPURenderPipeline, "GPURenderPipeline", { kind: InterfaceKind.GPURenderPipeline });
