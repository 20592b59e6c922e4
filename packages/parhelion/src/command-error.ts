/** A failure that a person caused or can mend: shown as one message without a stack, and as fields under `--json`. */
export class CommandError extends Error {
  override readonly name = "CommandError";
  readonly code: string;
  readonly remedy: string;

  constructor(code: string, message: string, remedy: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.remedy = remedy;
  }
}

/** What any thrown value says about itself, for people and for programs. */
export function describeError(error: unknown): { code: string; message: string; remedy: string } {
  const fields = (typeof error === "object" && error !== null ? error : {}) as Record<string, unknown>;
  const message = error instanceof Error ? error.message : String(error);
  const code = typeof fields["code"] === "string" ? fields["code"] : "failed";
  const remedy = typeof fields["remedy"] === "string" ? fields["remedy"] : "";
  return { code, message, remedy };
}
