/** Main storage in this process's memory, with a storage key per 4 KiB as far as channel programs see them. */
import { KernelError } from "parhelion-core";
import { type MainStorage, StorageFault, storageBlock } from "./storage.js";

export interface StorageKey {
  /** 0 … 15: who may store here, beside access key 0. */
  readonly accessControl: number;
  /** "stores": others may fetch. "stores-and-fetches": they may not. */
  readonly protects: "stores" | "stores-and-fetches";
}

const fetchProtection = 0x08;

/** 2 GiB: as far as format-1 addresses reach; more would be within reach of format-2 IDAWs only. */
export const maxStorageSize = 2 ** 31;

export class AbsoluteStorage implements MainStorage {
  readonly bytes: Uint8Array;
  /** As the instruction that sets keys takes it: access control in the high nibble, fetch protection below. */
  readonly #keys: Uint8Array;

  /**
   * @param memory its length is a multiple of 4096, up to 2 GiB; it is used in place
   * @throws KernelError EINVAL
   */
  constructor(memory: Uint8Array) {
    if (memory.length === 0 || memory.length % storageBlock !== 0 || memory.length > maxStorageSize) {
      throw new KernelError(
        "EINVAL",
        `main storage of ${memory.length} bytes: give a multiple of ${storageBlock}, up to ${maxStorageSize}`,
      );
    }
    this.bytes = memory;
    this.#keys = new Uint8Array(memory.length / storageBlock);
  }

  get size(): number {
    return this.bytes.length;
  }

  /** @throws KernelError EFAULT outside storage, EINVAL for an access control that is no key */
  setKey(address: number, key: StorageKey): void {
    if (address < 0 || address >= this.size || !Number.isInteger(address)) {
      throw new KernelError("EFAULT", `no storage at 0x${address.toString(16)}: it has ${this.size} bytes`);
    }
    if (!Number.isInteger(key.accessControl) || key.accessControl < 0 || key.accessControl > 15) {
      throw new KernelError("EINVAL", `access control ${key.accessControl}: keys are 0 to 15`);
    }
    const fetch = key.protects === "stores-and-fetches" ? fetchProtection : 0;
    this.#keys[Math.floor(address / storageBlock)] = (key.accessControl << 4) | fetch;
  }

  read(address: number, length: number, key: number): Uint8Array {
    const reached = this.#reach(address, length, key, "fetch");
    if (reached < length) throw this.#fault(address + reached);
    return this.bytes.subarray(address, address + length);
  }

  write(address: number, bytes: Uint8Array, key: number): void {
    const reached = this.#reach(address, bytes.length, key, "store");
    if (reached === bytes.length) {
      this.bytes.set(bytes, address);
      return;
    }
    if (reached > 0) this.bytes.set(bytes.subarray(0, reached), address);
    throw this.#fault(address + reached);
  }

  #fault(address: number): StorageFault {
    return new StorageFault(address < 0 || address >= this.size ? "unavailable" : "protected", address);
  }

  /** How many bytes from `address` on `key` may use, at most `length`. */
  #reach(address: number, length: number, key: number, access: "fetch" | "store"): number {
    if (address < 0 || address >= this.size) return 0;
    const end = Math.min(address + length, this.size);
    if (key === 0) return end - address;
    for (let at = address; at < end; at = Math.floor(at / storageBlock + 1) * storageBlock) {
      const storageKey = this.#keys[Math.floor(at / storageBlock)] ?? 0;
      const open = access === "fetch" && (storageKey & fetchProtection) === 0;
      if (!open && storageKey >> 4 !== key) return at - address;
    }
    return end - address;
  }
}
