/** Why a port stopped working, or could not be made. */

import type { PortCloseCode, PortStallCode, QueueConnectCode } from "./error-codes.js";

// Registry symbols, not classes, are the brands: two copies of this package in one process understand each other.
const closedBrand = Symbol.for("parhelion.PortClosedError");
const connectBrand = Symbol.for("parhelion.QueueConnectError");
const stalledBrand = Symbol.for("parhelion.PortStalledError");

export class PortClosedError extends Error {
  override readonly name: string = "PortClosedError";
  readonly code: PortCloseCode;
  readonly [closedBrand] = true;

  constructor(code: PortCloseCode, message: string, options?: ErrorOptions) {
    super(`${code}: ${message}`, options);
    this.code = code;
  }
}

/** `begin` found no room and waiting did not, or could not, help. The port stays open; its owner decides. */
export class PortStalledError extends Error {
  override readonly name: string = "PortStalledError";
  readonly code: PortStallCode;
  readonly [stalledBrand] = true;

  constructor(code: PortStallCode, message: string, options?: ErrorOptions) {
    super(`${code}: ${message}`, options);
    this.code = code;
  }
}

/** A queue did not come to be. The socket is closed, nothing else is affected. */
export class QueueConnectError extends Error {
  override readonly name: string = "QueueConnectError";
  readonly code: QueueConnectCode;
  /** Positive Linux errno of a refusal, else 0. */
  readonly errno: number;
  readonly [connectBrand] = true;

  constructor(code: QueueConnectCode, message: string, options?: ErrorOptions & { errno?: number }) {
    super(`${code}: ${message}`, options);
    this.code = code;
    this.errno = options?.errno ?? 0;
  }
}

export function isQueueConnectError(error: unknown): error is QueueConnectError {
  return typeof error === "object" && error !== null && connectBrand in error;
}

export function isPortClosedError(error: unknown): error is PortClosedError {
  return typeof error === "object" && error !== null && closedBrand in error;
}

export function isPortStalledError(error: unknown): error is PortStalledError {
  return typeof error === "object" && error !== null && stalledBrand in error;
}
