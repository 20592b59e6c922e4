/** WebGPU's GPUObjectBase: an object that lives in the engine under a number and has a label here. */
import { HANDLE, KIND, OWNER, toText } from "parhelion-protocol";
import type { DeviceLink } from "../link/device-link.js";
import { type INTERNAL, MIXIN, requireInternal } from "./define.js";

export abstract class GPUObjectBase {
  readonly [HANDLE]: number;
  readonly [OWNER]: DeviceLink;
  /** On the prototype of each interface. */
  declare readonly [KIND]: number;
  #label: string;

  constructor(key: typeof INTERNAL, link: DeviceLink, id: number, label: string) {
    requireInternal(key);
    this[HANDLE] = id;
    this[OWNER] = link;
    this.#label = label;
  }

  get label(): string {
    return this.#label;
  }

  set label(value: unknown) {
    this.#label = toText(value, "label");
    this[OWNER].setLabel(this[HANDLE], this.#label);
  }
}
Object.defineProperty(GPUObjectBase.prototype, MIXIN, { value: true });
