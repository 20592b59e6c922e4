/** GPUShaderModule: WGSL that the engine has compiled, or could not. */
import { encode, HANDLE, InterfaceKind, OWNER } from "parhelion-protocol";
import { GPUCompilationInfo } from "./compilation-info.js";
import { defineInterface, INTERNAL } from "./interface/define.js";
import { GPUObjectBase } from "./interface/object-base.js";

export class GPUShaderModule extends GPUObjectBase {
  getCompilationInfo(): Promise<GPUCompilationInfo> {
    return new Promise((resolve) => {
      this[OWNER].ask(
        {
          kind: "compilation-info",
          known: (messages) => resolve(new GPUCompilationInfo(INTERNAL, messages)),
        },
        (stream, request) => encode.shaderModuleGetCompilationInfo(stream, this[HANDLE], request),
      );
    });
  }
}
defineInterface(GPUShaderModule, "GPUShaderModule", { kind: InterfaceKind.GPUShaderModule });
