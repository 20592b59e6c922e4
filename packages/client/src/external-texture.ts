/** GPUExternalTexture: exists so that `instanceof` can be asked; there are no video frames outside of a page. */
import { defineInterface, type INTERNAL, requireInternal } from "./interface/define.js";

export class GPUExternalTexture {
  constructor(key: typeof INTERNAL) {
    requireInternal(key);
  }
}
defineInterface(GPUExternalTexture, "GPUExternalTexture");
