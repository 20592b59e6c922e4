/** Main storage as one start function has it: until it is cleared. What it has begun to store by then still ends. */
import { type Answer, type MainStorage, StorageFault } from "../storage/storage.js";

export class ProgramStorage implements MainStorage {
  readonly #storage: MainStorage;
  #access: "open" | "cut" = "open";

  constructor(storage: MainStorage) {
    this.#storage = storage;
  }

  /** From here on nothing is read or stored. */
  cut(): void {
    this.#access = "cut";
  }

  read(address: number, length: number, key: number): Answer<Uint8Array> {
    this.#assertOpen(address);
    return this.#storage.read(address, length, key);
  }

  write(address: number, bytes: Uint8Array, key: number): Answer<void> {
    this.#assertOpen(address);
    return this.#storage.write(address, bytes, key);
  }

  #assertOpen(address: number): void {
    if (this.#access === "cut") throw new StorageFault("unavailable", address);
  }
}
