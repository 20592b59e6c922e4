/** How a command of a guest fails: an NTSTATUS for the driver, words for people, and data for the application. */
import {
  errnoOfNtStatus,
  isControlError,
  isProtocolError,
  NtStatus,
  ntStatusOfErrno,
  StatusErrno,
} from "parhelion-protocol";
import { EngineRefusedError } from "../engines/engine-process.js";
import { HostError, type HostErrorCode, messageOf } from "../host-error.js";
import { type HostLimits, type Refusal, refusalMessage, refusalOf } from "../limits.js";

export class CommandError extends Error {
  override readonly name = "CommandError";
  /** NTSTATUS. */
  readonly status: number;
  /** The same as Linux says it, positive: what the channel takes its answer from. */
  readonly errno: number;
  readonly privateData: Uint8Array;
  /** What the private data is made of. */
  readonly detail: Readonly<Record<string, unknown>>;

  /** @param detail becomes JSON; for createDevice an EngineRefusal, perhaps with more fields */
  constructor(status: number, message: string, detail?: Readonly<Record<string, unknown>>) {
    super(message);
    this.status = status;
    this.errno = -errnoOfNtStatus(status);
    this.detail = detail ?? {};
    this.privateData =
      detail === undefined ? new Uint8Array(0) : new TextEncoder().encode(JSON.stringify(detail));
  }
}

/** @throws CommandError QUOTA_EXCEEDED when it does not fit */
export function charge(
  limits: HostLimits,
  slice: string,
  rule: keyof HostLimits,
  used: number,
  wanted = 1,
): void {
  const refusal = refusalOf(limits, slice, rule, used, wanted);
  if (refusal !== undefined) throw refused(refusal);
}

/** `charge` for a limit of the slice's own. @throws CommandError QUOTA_EXCEEDED */
export function chargeRule(slice: string, rule: "nodeOpens", limit: number, used: number): void {
  if (used < limit) return;
  const remedy = `end a process that uses the slice, or raise its ${rule} with \`parhelion slice resize\``;
  throw refused({ code: "limit-reached", slice, rule, limit, used, wanted: 1, remedy });
}

function refused(refusal: Refusal): CommandError {
  const message = refusalMessage(refusal);
  return new CommandError(NtStatus.QUOTA_EXCEEDED, message, { name: "OperationError", message, ...refusal });
}

/** The engine may know before the host that a queue has gone, and its device with it. */
function statusOf({ refusal }: EngineRefusedError): number {
  const gone = refusal.code === "unknown-queue" || refusal.code === "device-gone";
  if (refusal.rule !== undefined) return NtStatus.QUOTA_EXCEEDED;
  return gone ? NtStatus.DEVICE_REMOVED : NtStatus.INVALID_PARAMETER;
}

/** Of the host's errors that say that it is too much or too early, and not that something has gone. */
const hostStatuses: Readonly<Partial<Record<HostErrorCode, number>>> = {
  "limit-reached": NtStatus.QUOTA_EXCEEDED,
  "adapter-drained": NtStatus.DEVICE_BUSY,
};

/** Whatever a handler threw, as what goes back to the guest. */
export function asCommandError(error: unknown): CommandError {
  if (error instanceof CommandError) return error;
  if (error instanceof EngineRefusedError) {
    return new CommandError(statusOf(error), error.message, { ...error.refusal });
  }
  if (error instanceof HostError) {
    const { code, message, details, remedy } = error;
    const more = { ...(remedy === "" ? {} : { remedy }), ...details };
    const status = hostStatuses[code] ?? NtStatus.DEVICE_REMOVED;
    return new CommandError(status, message, { ...more, name: "OperationError", message, code });
  }
  if (isControlError(error)) {
    const full = error.errno === StatusErrno.EMFILE;
    return new CommandError(full ? NtStatus.QUOTA_EXCEEDED : ntStatusOfErrno(-error.errno), error.message);
  }
  if (isProtocolError(error)) return new CommandError(NtStatus.INVALID_PARAMETER, error.message);
  return new CommandError(NtStatus.UNSUCCESSFUL, messageOf(error));
}
