/** Where groups of attributes stand in their owner's directory, and whether two of them get into each other's way. */
import type { AttributeGroup } from "./attribute.js";
import { KernelError } from "./error.js";

/** The attributes' paths within the group's owner. @throws KernelError EINVAL a name that no file can have */
export function pathsOf(owner: string, { name, attributes }: AttributeGroup): string[] {
  const prefix = name === undefined ? "" : `${checkedDirectory(owner, name)}/`;
  return attributes.map((attribute) => prefix + checked(owner, attribute.name));
}

/** What stands there already. */
export interface Places {
  readonly files: Iterable<string>;
  /** The directories of groups that have one though nothing is in it. */
  readonly directories: Iterable<string>;
}

/**
 * The first thing of the group whose name is taken. Directories of two groups may have a parent in common, but no group
 * stands in another's. @throws KernelError EINVAL a name that no file can have
 */
export function clashOf(owner: string, places: Places, group: AttributeGroup): string | undefined {
  const taken = new Set(places.files);
  const occupied = new Set([...places.directories, ...[...taken].map(directoryOf)]);
  const directories = new Set([...occupied].flatMap(ancestorsOf));
  const paths = pathsOf(owner, group);
  const { name } = group;
  if (name !== undefined) {
    if (occupied.has(name)) return name;
    const file = ancestorsOf(name).find((directory) => taken.has(directory));
    if (file !== undefined) return file;
  }
  for (const path of paths) {
    if (taken.has(path) || directories.has(path)) return path;
    taken.add(path);
  }
  return undefined;
}

/** "" for what stands in the owner's own directory. */
export function directoryOf(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf("/"), 0));
}

/** The directory and those that it is in, "" for the owner's own left out. */
function ancestorsOf(directory: string): string[] {
  const ancestors: string[] = [];
  for (let path = directory; path !== ""; path = directoryOf(path)) ancestors.push(path);
  return ancestors;
}

function checkedDirectory(owner: string, directory: string): string {
  for (const name of directory.split("/")) checked(owner, name);
  return directory;
}

function checked(owner: string, name: string): string {
  if (name !== "" && name !== "." && name !== ".." && !/[/\0]/.test(name)) return name;
  throw new KernelError(
    "EINVAL",
    `${owner}: attribute name ${JSON.stringify(name)}: give it a name without a slash`,
  );
}
