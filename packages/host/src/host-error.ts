/** What the host answers to whoever runs it or asks it: a stable code, and a message that says what to do. */
import type { HostErrorCode } from "./error-codes.js";

export type { HostErrorCode } from "./error-codes.js";

export class HostError extends Error {
  override readonly name = "HostError";
  readonly code: HostErrorCode;
  /** Further fields for whoever handles the error by program: numbers, paths, what was tried. */
  readonly details: Readonly<Record<string, unknown>>;
  /** What to do about it, where there is something; the message ends with it. */
  readonly remedy: string;

  constructor(
    code: HostErrorCode,
    message: string,
    options: {
      readonly cause?: unknown;
      readonly details?: Readonly<Record<string, unknown>>;
      /** A sentence. */
      readonly remedy?: string;
    } = {},
  ) {
    const { cause, remedy = "" } = options;
    super(remedy === "" ? message : `${message} ${remedy}`, cause === undefined ? undefined : { cause });
    this.code = code;
    this.details = options.details ?? {};
    this.remedy = remedy;
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The `code` of a failed system call, or undefined. */
export function systemCode(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}
