/** Why something can't be served where it was wished, as a person can mend it. */
import { isKernelError } from "parhelion-core";
import { CommandError } from "../command-error.js";

/** Of listening on a path. */
const socketErrors: readonly string[] = [
  "EADDRINUSE",
  "EBUSY",
  "EEXIST",
  "ENAMETOOLONG",
  "EACCES",
  "EPERM",
  "ENOENT",
  "ENOTDIR",
  "EROFS",
  "EINVAL",
];

/** For what may be a pseudo-terminal, too. What to throw instead: a CommandError no-pty or listen-failed; other errors as they are. */
export function explainTerminal(error: unknown): unknown {
  if (isKernelError(error, "ENODEV"))
    return new CommandError("no-pty", error.message, "take unix:PATH instead", { cause: error });
  return explainListening(error);
}

/** What to throw instead: a CommandError listen-failed; other errors as they are. */
export function explainListening(error: unknown): unknown {
  const { code, message } = error as NodeJS.ErrnoException;
  if (typeof code === "string" && socketErrors.includes(code))
    return new CommandError(
      "listen-failed",
      message,
      "name another path, in a directory that this user can write",
      {
        cause: error,
      },
    );
  return error;
}
