import type { EngineRefusal } from "parhelion-protocol";
import { type RefusalCode, refusalCodes } from "./error-codes.js";
import { type EngineLimits, shorten } from "./limits.js";

export type { RefusalCode } from "./error-codes.js";

/** Which of the engine's limits was reached, and how far. */
export interface ReachedLimit {
  /** One of the engine's own, of the slice's quota, or of what a device may require. */
  readonly rule: keyof EngineLimits | "memoryBytes" | "objects" | `requiredLimits.${string}`;
  readonly limit: number;
  readonly used: number;
  readonly wanted: number;
  readonly remedy: string;
}

/** The engine works as it should and says no. `exception` is what the application's promise rejects with. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly code: RefusalCode;
  readonly exception: "TypeError" | "OperationError";
  /** Where the refusal is because of a limit. */
  readonly reached: ReachedLimit | undefined;

  constructor(
    code: RefusalCode,
    message: string,
    exception: "TypeError" | "OperationError" = "OperationError",
    reached?: ReachedLimit,
  ) {
    super(message);
    this.code = code;
    this.exception = exception;
    this.reached = reached;
  }
}

/** One more of what `limits` counts is too many. @param what is counted, in words */
export function limitRefusal(
  code: RefusalCode,
  limits: EngineLimits,
  rule: keyof EngineLimits,
  used: number,
  what: string,
): Refusal {
  const limit = limits[rule];
  const { remedy } = refusalCodes[code];
  const message = `${rule} of an engine is ${limit}, and there are ${used} ${what}: ${remedy}`;
  return new Refusal(code, message, "OperationError", { rule, limit, used, wanted: 1, remedy });
}

/** @param slice whose engine this is */
export function refusalOf(error: unknown, slice?: string): EngineRefusal {
  if (!(error instanceof Refusal)) return { name: "OperationError", message: shorten(messageOf(error)) };
  const { exception, code, reached } = error;
  const limit = reached === undefined ? {} : { ...reached, ...(slice === undefined ? {} : { slice }) };
  return { name: exception, message: shorten(error.message), code, ...limit };
}

export function messageOf(error: unknown): string {
  return error instanceof Error || error instanceof DOMException ? error.message.trimEnd() : String(error);
}
