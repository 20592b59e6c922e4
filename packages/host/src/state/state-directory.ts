/** The directory that holds the host's sockets and the guests' run directories. Only its owner may reach it. */
import { chmod, lstat, mkdir } from "node:fs/promises";
import { isAbsolute, join, resolve } from "node:path";
import { HostError, messageOf, systemCode } from "../host-error.js";

export interface WhoAndWhere {
  /** Default: this process's. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Effective user id; default: this process's. */
  readonly uid?: number;
}

/** `$XDG_RUNTIME_DIR/parhelion`, or `/tmp/parhelion-<uid>` where that variable is not an absolute path. */
export function defaultStateDirectory(who: WhoAndWhere = {}): string {
  const runtime = (who.environment ?? process.env)["XDG_RUNTIME_DIR"];
  if (runtime !== undefined && isAbsolute(runtime)) return join(runtime, "parhelion");
  return `/tmp/parhelion-${who.uid ?? currentUid()}`;
}

/**
 * Makes the directory with mode 0700, or takes an existing one of the same user and narrows its mode.
 * @returns its absolute path
 * @throws HostError state-directory-foreign, state-directory-unusable
 */
export async function prepareStateDirectory(path: string, who: WhoAndWhere = {}): Promise<string> {
  const directory = resolve(path);
  const uid = who.uid ?? currentUid();
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
  } catch (error) {
    if (systemCode(error) !== "EEXIST") throw unusable(directory, messageOf(error), error);
  }
  // lstat: in a shared /tmp anybody can plant a link that leads the sockets somewhere else.
  const found = await lstat(directory).catch((error: unknown) => {
    throw unusable(directory, messageOf(error), error);
  });
  if (!found.isDirectory()) throw unusable(directory, "it is not a directory");
  if (found.uid !== uid) {
    throw new HostError(
      "state-directory-foreign",
      `state directory ${directory} belongs to user ${found.uid}, not to user ${uid}: whoever owns it could take over the host's sockets.`,
      {
        details: { directory, owner: found.uid, uid },
        remedy: "Choose another state directory, or have it removed.",
      },
    );
  }
  if ((found.mode & 0o077) !== 0) await chmod(directory, 0o700);
  return directory;
}

function currentUid(): number {
  return process.geteuid?.() ?? 0;
}

function unusable(directory: string, why: string, cause?: unknown): HostError {
  return new HostError("state-directory-unusable", `state directory ${directory} cannot be used: ${why}.`, {
    cause,
    details: { directory },
    remedy: "Choose a directory that this user can write.",
  });
}
