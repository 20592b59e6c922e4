/** What the channel subsystem knows of memory: absolute addresses, bytes, and two ways to be refused. */
import type { Answer } from "./answer.js";

export type { Answer };

/** Keys and availability are uniform within a block of this many bytes. */
export const storageBlock = 4096;

export type StorageFaultReason = "unavailable" | "protected";

/** Why a byte can't be accessed. The interpreter turns it into a program check or a protection check. */
export class StorageFault extends Error {
  override readonly name = "StorageFault";
  readonly code: StorageFaultReason;
  /** The first byte, in ascending order, that can't be accessed. */
  readonly address: number;

  constructor(code: StorageFaultReason, address: number) {
    super(`${code}: main storage at 0x${address.toString(16)}`);
    this.code = code;
    this.address = address;
  }
}

export interface MainStorage {
  /**
   * The bytes at `address`. They may be a view that later stores change: use them before the next await.
   * @param key access key 0 … 15; 0 may do everything
   * @throws StorageFault when one of the bytes can't be fetched
   */
  read(address: number, length: number, key: number): Answer<Uint8Array>;
  /**
   * Stores `bytes` at `address`.
   * @throws StorageFault when one of them can't be stored; those before it have been
   */
  write(address: number, bytes: Uint8Array, key: number): Answer<void>;
}
