/** Typed access to a function's configuration space, whoever answers for it. */
import type { ReadableRegister, WritableRegister } from "./register.js";

/** How bytes get there and back. In a guest each is a question to the host. */
export interface ConfigAccess {
  read(offset: number, length: number): Promise<Uint8Array>;
  write(offset: number, data: Uint8Array): Promise<void>;
}

export class ConfigSpace {
  readonly #access: ConfigAccess;

  constructor(access: ConfigAccess) {
    this.#access = access;
  }

  async read<T>(register: ReadableRegister<T>): Promise<T> {
    return register.decode(await this.#access.read(register.offset, register.length));
  }

  async write<T>(register: WritableRegister<T>, value: T): Promise<void> {
    await this.#access.write(register.offset, register.encode(value));
  }
}
