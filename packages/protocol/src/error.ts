/**
 * What the other end sent does not follow the protocol, or it can't be sent within the protocol's limits. Decoders
 * throw nothing else; whoever owns the connection closes it and goes on serving the others.
 */

// The registry symbol, not the class, is the brand: two copies of this package in one process understand each other.
const protocolErrorBrand = Symbol.for("parhelion.ProtocolError");

export class ProtocolError extends Error {
  override readonly name: string = "ProtocolError";
  /** Stable, kebab-case: `truncated`, `too-long`, `bad-header`, … Each module documents its own. */
  readonly code: string;
  readonly [protocolErrorBrand] = true;

  /** @param message what, where, which limit, what to do */
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(`${code}: ${message}`, options);
    this.code = code;
  }
}

/** Whether `error` is a ProtocolError, and, where `code` is given, one with that code. */
export function isProtocolError(error: unknown, code?: string): error is ProtocolError {
  return (
    typeof error === "object" &&
    error !== null &&
    protocolErrorBrand in error &&
    (code === undefined || (error as ProtocolError).code === code)
  );
}
