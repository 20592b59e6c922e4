/** A device's state on its way out or in, for devices whose state is a few bytes that are there at once. */
import { KernelError } from "parhelion-core";
import type { MigrationStream } from "../migration/ops.js";

export class BytesStream implements MigrationStream {
  readonly #bytes: Uint8Array;
  #given = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  read(length: number): Uint8Array {
    const bytes = this.#bytes.slice(this.#given, this.#given + length);
    this.#given += bytes.length;
    return bytes;
  }
}

export class CollectedStream implements MigrationStream {
  readonly #bytes: Uint8Array;
  #taken = 0;

  /** @param most more than so many bytes are refused */
  constructor(most: number) {
    this.#bytes = new Uint8Array(most);
  }

  /** What has come. */
  get bytes(): Uint8Array {
    return this.#bytes.slice(0, this.#taken);
  }

  /** @throws KernelError ENOSPC */
  write(bytes: Uint8Array): void {
    if (this.#taken + bytes.length > this.#bytes.length)
      throw new KernelError("ENOSPC", `the device's state has ${this.#bytes.length} bytes, not more`);
    this.#bytes.set(bytes, this.#taken);
    this.#taken += bytes.length;
  }
}
