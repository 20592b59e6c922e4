/** GPUQuerySet: where the engine puts occlusion counts and timestamps. */
import {
  type ConvertedGPUQuerySetDescriptor,
  encode,
  HANDLE,
  InterfaceKind,
  OWNER,
} from "parhelion-protocol";
import { defineInterface, type INTERNAL } from "./interface/define.js";
import { GPUObjectBase } from "./interface/object-base.js";
import type { DeviceLink } from "./link/device-link.js";

export class GPUQuerySet extends GPUObjectBase {
  readonly #type: string;
  readonly #count: number;

  constructor(
    key: typeof INTERNAL,
    link: DeviceLink,
    id: number,
    descriptor: ConvertedGPUQuerySetDescriptor,
  ) {
    super(key, link, id, descriptor.label);
    this.#type = descriptor.type;
    this.#count = descriptor.count;
  }

  destroy(): void {
    encode.querySetDestroy(this[OWNER].stream, this[HANDLE]);
  }

  get type(): string {
    return this.#type;
  }

  get count(): number {
    return this.#count;
  }
}
defineInterface(GPUQuerySet, "GPUQuerySet", { kind: InterfaceKind.GPUQuerySet });
