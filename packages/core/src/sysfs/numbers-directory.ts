/** /sys/dev: the devices that have a node, by its number. */
import { sysfsPathOf } from "./device-files.js";
import { directory, directoryOf, link, type SysfsDirectory } from "./entry.js";
import type { SysfsSource } from "./source.js";

export function numbersDirectory({ nodes }: SysfsSource): SysfsDirectory {
  const char = directory(
    () => nodes.list().map(({ major, minor }) => `${major}:${minor}`),
    (name) => {
      const [, major, minor] = /^(0|[1-9][0-9]*):(0|[1-9][0-9]*)$/.exec(name) ?? [];
      const owner = nodes.byNumber(Number(major), Number(minor))?.owner ?? null;
      return owner === null ? undefined : link(sysfsPathOf(owner));
    },
  );
  // The model has no block devices; the directory is there all the same.
  return directoryOf({ block: directoryOf({}), char });
}
