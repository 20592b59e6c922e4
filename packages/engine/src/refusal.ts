import type { EngineRefusal } from "parhelion-protocol";
import { shorten } from "./limits.js";

export type RefusalCode =
  /** Dawn refused; the message is Dawn's. */
  | "dawn"
  | "no-adapter"
  | "too-many-devices"
  | "too-many-waiters"
  | "duplicate-id"
  | "unknown-device"
  | "unknown-queue"
  | "no-connection"
  | "device-gone"
  | "not-started"
  | "bad-queue-path";

/** The engine works as it should and says no. `exception` is what the application's promise rejects with. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly code: RefusalCode;
  readonly exception: "TypeError" | "OperationError";

  constructor(
    code: RefusalCode,
    message: string,
    exception: "TypeError" | "OperationError" = "OperationError",
  ) {
    super(message);
    this.code = code;
    this.exception = exception;
  }
}

export function refusalOf(error: unknown): EngineRefusal {
  if (error instanceof Refusal)
    return { name: error.exception, message: shorten(error.message), code: error.code };
  return { name: "OperationError", message: shorten(messageOf(error)) };
}

export function messageOf(error: unknown): string {
  return error instanceof Error || error instanceof DOMException ? error.message.trimEnd() : String(error);
}
