/**
 * What the other end sent does not follow the protocol, or it can't be sent within the protocol's limits. Decoders
 * throw nothing else; whoever owns the connection closes it and goes on serving the others.
 */
import type { ProtocolErrorCode } from "./error-codes.js";

// The registry symbol, not the class, is the brand: two copies of this package in one process understand each other.
const protocolErrorBrand = Symbol.for("parhelion.ProtocolError");

export class ProtocolError extends Error {
  override readonly name: string = "ProtocolError";
  /** Stable; protocolErrorCodes says what each means. */
  readonly code: ProtocolErrorCode;
  readonly [protocolErrorBrand] = true;

  /** @param message what, where, which limit, what to do */
  constructor(code: ProtocolErrorCode, message: string, options?: ErrorOptions) {
    super(`${code}: ${message}`, options);
    this.code = code;
  }
}

/** Whether `error` is a ProtocolError, and, where `code` is given, one with that code. */
export function isProtocolError(error: unknown, code?: ProtocolErrorCode): error is ProtocolError {
  return (
    typeof error === "object" &&
    error !== null &&
    protocolErrorBrand in error &&
    (code === undefined || (error as ProtocolError).code === code)
  );
}
