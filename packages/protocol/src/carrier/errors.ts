/** Why a port stopped working, or could not be made. */

export type PortCloseCode =
  /** this end called `close` */
  | "closed"
  /** the other end closed, or its process ended */
  | "peer-closed"
  /** the other end sent what the protocol does not allow; `cause` is the ProtocolError */
  | "protocol"
  /** the socket beneath failed; `cause` is the system's error */
  | "carrier-failed";

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

export type PortStallCode =
  /** the reader made no progress for the stall deadline */
  | "stalled"
  /** waiting here could never end: the reader is this very thread, or the socket can't be driven while the thread waits */
  | "cannot-wait";

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

export type QueueConnectCode =
  /** nobody listens at the endpoint */
  | "unreachable"
  /** the engine does not want this queue; `errno` says why */
  | "refused"
  /** the other end closed before the handshake was through */
  | "hung-up"
  /** the handshake missed its deadline */
  | "deadline"
  /** what came is no handshake; `cause` is the ProtocolError */
  | "protocol";

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
