/**
 * Two kinds of failure. A `KernelError` is an answer: part of the interface, with Linux's number, fit to be sent to
 * whoever asked. A `BugError` says that code broke a rule of the model; nobody should handle it.
 */
import { Errno, type ErrnoCode } from "./errno.js";
import type { BugCode } from "./error-codes.js";

// The registry symbol, not the class, is the brand: two copies of this package in one process understand each other.
const kernelErrorBrand = Symbol.for("parhelion.KernelError");

export class KernelError extends Error {
  override readonly name = "KernelError";
  readonly code: ErrnoCode;
  /** Linux's number, positive. */
  readonly errno: number;
  readonly [kernelErrorBrand] = true;

  /** @param message what failed and where, which limit if one did it, and what to do about it */
  constructor(code: ErrnoCode, message: string, options?: ErrorOptions) {
    super(`${code}: ${message}`, options);
    this.code = code;
    this.errno = Errno[code];
  }
}

/** Whether `error` is a KernelError, and, where `code` is given, one with that code. */
export function isKernelError(error: unknown, code?: ErrnoCode): error is KernelError {
  return (
    typeof error === "object" &&
    error !== null &&
    kernelErrorBrand in error &&
    (code === undefined || (error as KernelError).code === code)
  );
}

export class BugError extends Error {
  override readonly name = "BugError";
  readonly code: BugCode;

  constructor(code: BugCode, message: string) {
    super(`${code}: ${message}`);
    this.code = code;
  }
}
