/** The place that a path leads to when every link is followed: only from there do the links that stand there lead right. */
import type { SysClient } from "parhelion-protocol";
import { CommandError } from "../command-error.js";
import { asking } from "./explain.js";
import { parentOf, ROOT, resolveLink } from "./path.js";

/** As many links as Linux follows on one path. */
const mostLinks = 40;

/** @param path from /sys @throws CommandError ENOENT, ENOTDIR, ELOOP */
export async function realPath(client: SysClient, path: string): Promise<string> {
  const names = namesOf(path);
  let at = ROOT;
  let links = 0;
  for (let name = names.pop(); name !== undefined; name = names.pop()) {
    if (name === "" || name === ".") continue;
    if (name === "..") {
      at = parentOf(at);
      continue;
    }
    const next = `${at}/${name}`;
    const { kind, target } = await asking(client, `look at ${next}`, next, () => client.stat(next));
    if (kind !== "link") {
      at = next;
      continue;
    }
    links += 1;
    if (links > mostLinks)
      throw new CommandError(
        "ELOOP",
        `ELOOP: ${path} goes through more than ${mostLinks} links`,
        "name the place itself",
      );
    names.push(...namesOf(resolveLink(next, target)));
    at = ROOT;
  }
  return at;
}

/** Those below /sys, the first one last. */
function namesOf(path: string): string[] {
  return path.split("/").slice(2).reverse();
}
