// biome-ignore-all lint/complexity/noArguments: WebIDL counts arguments, and a rest parameter allocates.
/** GPUError and its three kinds, and how the engine's word for a kind becomes one of them. */
import { defineInterface, requireArguments } from "./interface/define.js";

const MESSAGE: unique symbol = Symbol("message");

export abstract class GPUError {
  readonly [MESSAGE]: string;

  constructor(message: unknown) {
    // The IDL gives only the subclasses a constructor.
    if (new.target === GPUError) throw new TypeError("Illegal constructor");
    this[MESSAGE] = String(message);
  }

  get message(): string {
    return this[MESSAGE];
  }
}
defineInterface(GPUError, "GPUError");

export class GPUValidationError extends GPUError {
  constructor(message: unknown) {
    requireArguments("GPUValidationError constructor", arguments.length, 1);
    super(message);
  }
}
defineInterface(GPUValidationError, "GPUValidationError", { constructorLength: 1 });

export class GPUOutOfMemoryError extends GPUError {
  constructor(message: unknown) {
    requireArguments("GPUOutOfMemoryError constructor", arguments.length, 1);
    super(message);
  }
}
defineInterface(GPUOutOfMemoryError, "GPUOutOfMemoryError", { constructorLength: 1 });

export class GPUInternalError extends GPUError {
  constructor(message: unknown) {
    requireArguments("GPUInternalError constructor", arguments.length, 1);
    super(message);
  }
}
defineInterface(GPUInternalError, "GPUInternalError", { constructorLength: 1 });

export type ErrorKind = "validation" | "out-of-memory" | "internal";

export function gpuError(kind: ErrorKind, message: string): GPUError {
  switch (kind) {
    case "validation":
      return new GPUValidationError(message);
    case "out-of-memory":
      return new GPUOutOfMemoryError(message);
    case "internal":
      return new GPUInternalError(message);
  }
}
