/** A request that was answered with a negative status, or not at all. */
import { errnoName, type StatusCode, StatusErrno, type UnknownErrno } from "./errno.js";

// The registry symbol, not the class, is the brand: two copies of this package in one process understand each other.
const controlErrorBrand = Symbol.for("parhelion.ControlError");

export class ControlError extends Error {
  override readonly name = "ControlError";
  /** Linux's name, e.g. ENODEV. */
  readonly code: StatusCode | UnknownErrno;
  /** Positive. */
  readonly errno: number;
  /** What a driver or the host said in a form of its own (e.g. a JSON EngineRefusal); often empty. */
  readonly privateData: Uint8Array;
  readonly [controlErrorBrand] = true;

  constructor(
    errno: number,
    message: string,
    options?: ErrorOptions & { readonly privateData?: Uint8Array },
  ) {
    super(`${errnoName(errno)}: ${message}`, options);
    this.code = errnoName(errno);
    this.errno = errno;
    this.privateData = options?.privateData ?? new Uint8Array(0);
  }
}

export function controlError(code: StatusCode, message: string, options?: ErrorOptions): ControlError {
  return new ControlError(StatusErrno[code], message, options);
}

/** Whether `error` is a ControlError, and, where `code` is given, one with that code. */
export function isControlError(error: unknown, code?: StatusCode): error is ControlError {
  return (
    typeof error === "object" &&
    error !== null &&
    controlErrorBrand in error &&
    (code === undefined || (error as ControlError).code === code)
  );
}
