/** Main storage as one start function has it: until it is cleared. What it has begun to store by then still ends. */
import type { Named, Runtime } from "parhelion-core";
import { type Answer, type MainStorage, StorageFault } from "../storage/storage.js";

export class ProgramStorage implements MainStorage, Named {
  readonly name: string;
  readonly #runtime: Runtime;
  readonly #storage: MainStorage;
  #access: "open" | "cut" = "open";

  constructor(runtime: Runtime, name: string, storage: MainStorage) {
    this.name = `storage of ${name}`;
    this.#runtime = runtime;
    this.#storage = storage;
  }

  /** From here on nothing is read or stored. */
  cut(): void {
    this.#runtime.scheduler.access(this, "write");
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
    this.#runtime.scheduler.access(this, "read");
    if (this.#access === "cut") throw new StorageFault("unavailable", address);
  }
}
