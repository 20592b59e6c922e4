/** Paths of the device tree as people write them: /sys/devices/x, /devices/x (as uevents have it) and devices/x are one. */
import { posix } from "node:path";
import { CommandError } from "../command-error.js";

export const ROOT = "/sys";
/** What a device tree's socket takes, in bytes. */
export const MAX_SYS_BYTES = 4096;

/** @throws CommandError EINVAL, ENAMETOOLONG */
export function sysPath(word: string): string {
  const bytes = Buffer.byteLength(word);
  if (bytes > MAX_SYS_BYTES)
    throw new CommandError(
      "ENAMETOOLONG",
      `ENAMETOOLONG: the path has ${bytes} bytes, the limit is ${MAX_SYS_BYTES}`,
      "shorten it",
    );
  if (word === "" || word.includes("\0"))
    throw new CommandError(
      "EINVAL",
      `EINVAL: ${JSON.stringify(word)} is no path`,
      `write one below ${ROOT}: \`parhelion tree\` shows them`,
    );
  // ".." stays: what it means is decided where the links are.
  const path = `/${word}`.replaceAll(/\/+/g, "/").replace(/(?<=.)\/$/, "");
  if (path === ROOT || path.startsWith(`${ROOT}/`)) return path;
  return path === "/" ? ROOT : `${ROOT}${path}`;
}

/** Where a link at `path` points. */
export function resolveLink(path: string, target: string): string {
  return posix.resolve(posix.dirname(path), target);
}

export function nameOf(path: string): string {
  return posix.basename(path);
}

export function parentOf(path: string): string {
  return path === ROOT ? ROOT : posix.dirname(path);
}
