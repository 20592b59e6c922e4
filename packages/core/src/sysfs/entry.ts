/** What stands in the tree. Entries are made when somebody looks and remember nothing. */
import type { WaitOptions } from "../runtime.js";

export interface SysfsDirectory {
  readonly kind: "directory";
  names(): Iterable<string>;
  get(name: string): SysfsEntry | undefined;
}

export interface SysfsFile {
  readonly kind: "file";
  readonly mode: number;
  read?(options?: WaitOptions): Promise<string>;
  /** @returns how many bytes were taken; nothing means all of them */
  write?(text: string, options?: WaitOptions): Promise<number | undefined>;
}

export interface SysfsLink {
  readonly kind: "link";
  /** Absolute, from /sys. */
  readonly target: string;
}

export type SysfsEntry = SysfsDirectory | SysfsFile | SysfsLink;

/** What always has the same name in every directory of a kind; undefined where this one has no such entry. */
export type FixedEntries<T> = ReadonlyMap<string, (subject: T) => SysfsEntry | undefined>;

export function directory(
  names: () => Iterable<string>,
  get: (name: string) => SysfsEntry | undefined,
): SysfsDirectory {
  return { kind: "directory", names, get };
}

export function directoryOf(entries: Readonly<Record<string, SysfsEntry>>): SysfsDirectory {
  const map = new Map(Object.entries(entries));
  return directory(
    () => map.keys(),
    (name) => map.get(name),
  );
}

export function link(target: string): SysfsLink {
  return { kind: "link", target };
}

/** A file that says one thing and takes nothing. */
export function text(value: string): SysfsFile {
  return { kind: "file", mode: 0o444, read: async () => `${value}\n` };
}

/** A file that can only be written, and takes all that is written or throws. */
export function trigger(act: (text: string, options?: WaitOptions) => Promise<void>): SysfsFile {
  return {
    kind: "file",
    mode: 0o200,
    async write(text, options) {
      await act(text, options);
      return undefined;
    },
  };
}

export function* fixedNames<T>(fixed: FixedEntries<T>, subject: T): Iterable<string> {
  for (const [name, entry] of fixed) if (entry(subject) !== undefined) yield name;
}
