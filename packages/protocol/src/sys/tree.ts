/**
 * What a server of `sys` needs of a device tree: the shape of the device model's own, so that this package needs nothing of it.
 * Errors with a positive `errno` reach the asker with their number and text.
 */

export type SysKind = "directory" | "file" | "link";

/** One entry of a directory, as the asker gets it. */
export interface SysItem {
  readonly name: string;
  readonly kind: SysKind;
  /** Permission bits. */
  readonly mode: number;
  /** Of a link: from the directory that it is in. Else empty. */
  readonly target: string;
}

type Soon<T> = T | Promise<T>;

export interface SysTree {
  /** The names in a directory, in any order. */
  list(path: string): Soon<readonly string[]>;
  /** Does not follow a link at the path's end. */
  stat(path: string): Soon<{ readonly kind: SysKind; readonly mode: number }>;
  readlink(path: string): Soon<string>;
  read(path: string): Soon<string>;
  /** Settles when the value is stored and what that causes has happened. */
  write(path: string, value: string): Soon<unknown>;
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
