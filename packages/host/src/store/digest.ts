/**
 * One number that stands for all records at once, in whatever order they are: a record that is lost, that came back, or that
 * somebody else changed makes it another one. LevelDB tells when a record is damaged, not when one is missing.
 */
import { createHash } from "node:crypto";

export class Digest {
  #value: bigint;

  constructor(value = 0n) {
    this.#value = value;
  }

  /** Takes a record in that is out, and out that is in. */
  toggle(key: string, text: string): void {
    const hash = createHash("sha256").update(`${key.length} ${key}${text}`, "utf8").digest("hex");
    this.#value ^= BigInt(`0x${hash}`);
  }

  copy(): Digest {
    return new Digest(this.#value);
  }

  /** 64 hex digits. */
  toString(): string {
    return this.#value.toString(16).padStart(64, "0");
  }
}
