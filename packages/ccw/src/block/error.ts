/** Why blocks could not be read or written. */
import type { BlockErrorCode } from "./error-codes.js";

export interface BlockErrorDetails extends ErrorOptions {
  /** What the device said, with `block-unit-check`: 24 or 32 bytes. */
  readonly sense?: Uint8Array;
}

export class BlockError extends Error {
  override readonly name = "BlockError";
  readonly code: BlockErrorCode;
  readonly sense: Uint8Array | null;

  constructor(code: BlockErrorCode, message: string, details: BlockErrorDetails = {}) {
    super(`${code}: ${message}`, details);
    this.code = code;
    this.sense = details.sense ?? null;
  }
}

export function isBlockError(error: unknown, code?: BlockErrorCode): error is BlockError {
  return error instanceof BlockError && (code === undefined || error.code === code);
}
