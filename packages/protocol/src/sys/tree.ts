/**
 * What a server of `sys` needs of a device tree: the shape of the device model's own, so that this package needs nothing of it.
 * Errors with a positive `errno` reach the asker with their number and text.
 */

export const SysKind = { DIRECTORY: 1, ATTRIBUTE: 2, LINK: 3 } as const;

export interface SysItem {
  readonly name: string;
  readonly kind: "directory" | "attribute" | "link";
  /** Permission bits. */
  readonly mode: number;
  /** Of a link: relative to the directory that it is in. Else empty. */
  readonly target: string;
}

export interface SysTree {
  /** What is in the directory, in any order. */
  list(path: string): readonly SysItem[] | Promise<readonly SysItem[]>;
  /** Does not follow a link at the path's end. */
  stat(path: string): SysItem | Promise<SysItem>;
  read(path: string): string | Promise<string>;
  /** Settles when the value is stored and what that causes has happened. */
  write(path: string, value: string): void | Promise<void>;
}

export interface SysUevent {
  readonly subsystem: string;
  /** ACTION, DEVPATH, SUBSYSTEM, …, SEQNUM. */
  readonly keys: readonly (readonly [key: string, value: string])[];
}

export interface SysSource {
  /** Whose tree it is, for people: "host", or the guest's name. */
  readonly name: string;
  readonly tree: SysTree;
  /** @returns a function that ends the subscription */
  onUevent(listener: (event: SysUevent) => void): () => void;
}
