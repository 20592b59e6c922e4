/** GPUPipelineError: why a pipeline that was created asynchronously is none. */
import { defineInterface } from "./interface/define.js";

const reasons: ReadonlySet<unknown> = new Set(["validation", "internal"]);

export class GPUPipelineError extends DOMException {
  readonly #reason: "validation" | "internal";

  constructor(message: unknown = "", options?: unknown) {
    const reason: unknown =
      typeof options === "object" && options !== null ? Reflect.get(options, "reason") : undefined;
    if (!reasons.has(reason)) {
      throw new TypeError(
        `Failed to construct 'GPUPipelineError': reason must be "validation" or "internal", not ${String(reason)}.`,
      );
    }
    super(String(message), "GPUPipelineError");
    this.#reason = reason as "validation" | "internal";
  }

  get reason(): "validation" | "internal" {
    return this.#reason;
  }
}
defineInterface(GPUPipelineError, "GPUPipelineError", { constructorLength: 2 });
