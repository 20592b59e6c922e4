// biome-ignore-all lint/complexity/noArguments: WebIDL counts arguments, and a rest parameter allocates.
/** GPUUncapturedErrorEvent: an error that no error scope took. */
import { GPUError } from "./error.js";
import { defineInterface, requireArguments } from "./interface/define.js";

export class GPUUncapturedErrorEvent extends Event {
  readonly #error: GPUError;

  constructor(type: unknown, init?: unknown) {
    requireArguments("GPUUncapturedErrorEvent constructor", arguments.length, 2);
    if (typeof init !== "object" || init === null) {
      throw new TypeError(
        "Failed to construct 'GPUUncapturedErrorEvent': the second argument is not an object.",
      );
    }
    const error: unknown = Reflect.get(init, "error");
    if (!(error instanceof GPUError)) {
      throw new TypeError("Failed to construct 'GPUUncapturedErrorEvent': member error is not a GPUError.");
    }
    super(String(type), init);
    this.#error = error;
  }

  get error(): GPUError {
    return this.#error;
  }
}
defineInterface(GPUUncapturedErrorEvent, "GPUUncapturedErrorEvent", { constructorLength: 2 });
