import { type HostErrorCode, hostErrorCodes } from "parhelion-host";
import type { CommandErrorCode } from "./error-codes.js";

/** A failure that a person caused or can mend: shown as one message without a stack, and as fields under `--json`. */
export class CommandError extends Error {
  override readonly name = "CommandError";
  readonly code: CommandErrorCode;
  readonly remedy: string;
  /** What the command ends with. */
  readonly exitStatus: number;

  constructor(
    code: CommandErrorCode,
    message: string,
    remedy: string,
    options: ErrorOptions & { readonly exitStatus?: number } = {},
  ) {
    super(message, options);
    this.code = code;
    this.remedy = remedy;
    this.exitStatus = options.exitStatus ?? 1;
  }
}

export interface ErrorDescription {
  readonly code: string;
  readonly message: string;
  readonly remedy: string;
}

/** What any thrown value says about itself, for people and for programs. */
export function describeError(error: unknown): ErrorDescription {
  const fields = (typeof error === "object" && error !== null ? error : {}) as Record<string, unknown>;
  const code = textIn(fields, "code") ?? "failed";
  const known = textIn(fields, "remedy") ?? textIn(fields["fields"], "remedy");
  const whole = error instanceof Error ? error.message : String(error);
  return {
    code,
    message: known === undefined ? whole : withoutEnding(whole, known),
    remedy: known ?? adviceFor(code),
  };
}

/** For what a library refuses without knowing who asked. */
function adviceFor(code: string): string {
  return Object.hasOwn(hostErrorCodes, code) ? hostErrorCodes[code as HostErrorCode].remedy : "";
}

/** A host's message ends with its remedy; here each has its place. */
function withoutEnding(message: string, remedy: string): string {
  return message.endsWith(remedy) ? message.slice(0, -remedy.length).replace(/[:.\s]+$/, "") : message;
}

function textIn(value: unknown, name: string): string | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const found: unknown = Reflect.get(value, name);
  return typeof found === "string" && found !== "" ? found : undefined;
}
