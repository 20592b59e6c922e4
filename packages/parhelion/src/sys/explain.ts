/** What a device tree refused, in the words of who typed the command: the errno's name, what, where, and what to do. */
import { isControlError, type SysClient } from "parhelion-protocol";
import { CommandError } from "../command-error.js";
import { nearby } from "./nearby.js";

/** What to do, where the errno alone tells it. */
const REMEDIES: Readonly<Record<string, string>> = {
  EACCES: "`parhelion tree` shows what there is; this one can't be used that way",
  EPERM: "`parhelion tree` shows what there is; this one can't be used that way",
  EAGAIN: "something that it needs is missing: look which of its devices have no driver, and try again",
  EBUSY: "`parhelion unbind` what is bound to it first",
  EINVAL: "look at what it shows with `parhelion cat`, and write something of that form",
  EIO: "it does not offer that: `parhelion tree` shows what there is beside it",
  EISDIR: "`parhelion tree` shows what is in it",
  ENODEV: "`parhelion tree` shows the devices that there are, and their drivers",
  ENOTDIR: "`parhelion cat` shows its value",
  ETIMEDOUT: "a driver is slow or hangs: look at the log, and at `parhelion doctor`",
};

/**
 * Turns a refusal about `path` into a CommandError; anything else stays what it is.
 * @param what what was tried, e.g. "read /sys/x"
 * @param subject what a message must name to say it all without `what`
 */
async function explained(
  error: unknown,
  client: SysClient,
  what: string,
  path: string,
  subject: string,
): Promise<unknown> {
  if (!isControlError(error)) return error;
  if (client.state === "closed") return connectionLost(`${what}: who serves the device tree`, error);
  const { code } = error;
  const text = error.message.replace(/^E[A-Z0-9_]+: /, "");
  const message = text.includes(subject) ? text : `${what}: ${text}`;
  const remedy = code === "ENOENT" ? await nearby(client, path) : (REMEDIES[code] ?? "look at its log");
  return new CommandError(code, `${code}: ${message}`, remedy, { cause: error });
}

/** @param who as a sentence begins with it */
export function connectionLost(who: string, cause?: unknown): CommandError {
  return new CommandError(
    "connection-lost",
    `${who} ended the connection`,
    "it was stopped or it died: start it again",
    { cause },
  );
}

/** Runs `ask`, with its refusals explained, see `explained`. @throws CommandError */
export async function asking<T>(
  client: SysClient,
  what: string,
  path: string,
  ask: () => Promise<T>,
  subject = path,
): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    throw await explained(error, client, what, path, subject);
  }
}
