/** GPUDeviceLostInfo: why a device can't be used any more. */
import { defineInterface, type INTERNAL, requireInternal } from "./interface/define.js";

export type DeviceLostReason = "unknown" | "destroyed";

export class GPUDeviceLostInfo {
  readonly #reason: DeviceLostReason;
  readonly #message: string;

  constructor(key: typeof INTERNAL, reason: DeviceLostReason, message: string) {
    requireInternal(key);
    this.#reason = reason;
    this.#message = message;
  }

  get reason(): DeviceLostReason {
    return this.#reason;
  }

  get message(): string {
    return this.#message;
  }
}
defineInterface(GPUDeviceLostInfo, "GPUDeviceLostInfo");
