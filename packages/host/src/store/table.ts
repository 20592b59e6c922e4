/** Texts by key, where the store keeps its records. The store is the only one who uses a table, and does one thing at a time with it. */

export interface TableEdit {
  readonly key: string;
  /** Null: there shall be none. */
  readonly text: string | null;
}

export interface Table {
  /** For messages. */
  readonly where: string;
  /** @throws HostError store-damaged, store-unavailable, host-already-running */
  open(): Promise<void>;
  /** Of an open table: every record, in any order. @throws Error */
  entries(): AsyncIterable<readonly [key: string, text: string]>;
  /** Of an open table. @throws Error */
  get(key: string): Promise<string | undefined>;
  /**
   * On the disk, all or nothing, when it returns. After an error nobody knows which, and the table has to be closed and opened again
   * before it is written again.
   * @throws Error
   */
  write(edits: readonly TableEdit[]): Promise<void>;
  /** A table that is not open is closed already. */
  close(): Promise<void>;
}
