/** A guest kernel, with its failures in the words of who typed the command. */
import { isKernelError } from "parhelion-core";
import { type GuestKernel, type GuestKernelInit, startGuestKernel } from "parhelion-guest";
import { CommandError } from "../command-error.js";

/** @throws CommandError host-unreachable, guest-refused, directory-in-use, directory-unusable, host-silent */
export async function startKernel(init: GuestKernelInit): Promise<GuestKernel> {
  try {
    return await startGuestKernel(init);
  } catch (error) {
    throw explained(error, init.directory);
  }
}

function explained(error: unknown, directory: string): unknown {
  if (!(error instanceof Error)) return error;
  const cause = { cause: error };
  if (!isKernelError(error)) {
    if (!("syscall" in error)) return error;
    return new CommandError(
      "directory-unusable",
      `cannot serve nodes in ${directory}: ${error.message}`,
      "name a directory that this user can write",
      cause,
    );
  }
  const message = error.message.replace(/^E[A-Z]+: /, "");
  const code: string = error.code;
  switch (code) {
    case "ECONNREFUSED":
      // Without a cause of the system's it is the host that said no.
      return error.cause === undefined
        ? new CommandError(
            "guest-refused",
            `the host refused this guest: ${message}`,
            "`parhelion guest create` on the host prints a fresh credential",
            cause,
          )
        : new CommandError(
            "host-unreachable",
            message.replace(/; is the daemon running\?$/, ""),
            "start it with `parhelion host` (for other machines with --listen), and check the address",
            cause,
          );
    case "EBUSY":
      return new CommandError("directory-in-use", message, "end that one or name another directory", cause);
    case "EINVAL":
      return new CommandError("directory-unusable", message, "name another directory", cause);
    case "ETIMEDOUT":
      return new CommandError("host-silent", message, "look at the host's log", cause);
    default:
      return error;
  }
}
