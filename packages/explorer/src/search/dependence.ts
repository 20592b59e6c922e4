/**
 * Which steps may not be swapped. Two steps depend on each other if they are of one task, if one made the other's task
 * able to run, or if they use an object in common and one of them writes it. Everything a search leaves out, it leaves
 * out because of this relation; so a kind can be taken away here, and tests show that each is needed.
 */

export type DependenceKind = "write-write" | "read-write" | "write-read" | "lock-lock" | "enabling";

export const dependenceKinds: readonly DependenceKind[] = [
  "write-write",
  "read-write",
  "write-read",
  "lock-lock",
  "enabling",
];

export class Dependence {
  readonly writeWrite: boolean;
  /** A read, then a write of the same object. */
  readonly readWrite: boolean;
  readonly writeRead: boolean;
  readonly lockLock: boolean;
  readonly enabling: boolean;

  /** @param without kinds to leave out, which makes every search unsound: for tests of the tests */
  constructor(without: readonly DependenceKind[] = []) {
    this.writeWrite = !without.includes("write-write");
    this.readWrite = !without.includes("read-write");
    this.writeRead = !without.includes("write-read");
    this.lockLock = !without.includes("lock-lock");
    this.enabling = !without.includes("enabling");
  }

  /** Whether two footprints have an object in common on which their order matters. */
  clash(earlier: readonly number[], later: readonly number[]): boolean {
    for (let i = 0; i < earlier.length; i++) {
      const a = earlier[i]!;
      for (let j = 0; j < later.length; j++) {
        const b = later[j]!;
        if (((a ^ b) & ~1) === 0 && this.#ordered(a & 1, b & 1)) return true;
      }
    }
    return false;
  }

  #ordered(writtenBefore: number, writtenAfter: number): boolean {
    if (writtenBefore === 0) return writtenAfter === 1 && this.readWrite;
    return writtenAfter === 1 ? this.writeWrite : this.writeRead;
  }
}
