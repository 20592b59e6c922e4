/** A refusal because of a limit as a request's answer: the errno for the driver, words for people, and data for the application. */
import { ControlError } from "./control-error.js";
import { type StatusCode, StatusErrno } from "./errno.js";

export interface ReachedLimit {
  /** UUID of the slice; empty where it has nothing to do with one. */
  readonly slice: string;
  /** Which limit, for programs. */
  readonly rule: string;
  readonly limit: number;
  readonly used: number;
  /** How much more was asked for. */
  readonly wanted: number;
  /** What to do. */
  readonly remedy: string;
}

/** Its private data is an EngineRefusal as JSON, with the code `limit-reached`. */
export function limitReached(code: StatusCode, reached: ReachedLimit): ControlError {
  const { rule, limit, used, wanted, remedy } = reached;
  const message = `${rule} is ${limit}; there are ${used}, and ${wanted} more would be too many: ${remedy}`;
  const detail = { name: "OperationError", message, code: "limit-reached", ...reached };
  return new ControlError(StatusErrno[code], message, {
    privateData: new TextEncoder().encode(JSON.stringify(detail)),
  });
}
