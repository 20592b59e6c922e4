/** An address space, said as a list of pages: which of the user's memory each is, and which were written. */
import type { ErrnoCode } from "parhelion-core";

export const page = 4096n;
export const pageBytes = Number(page);
/** Pages that a test looks at. */
export const pages = 8;

export type Answer = "ok" | ErrnoCode;

interface Piece {
  readonly at: number;
  readonly count: number;
  readonly writable: boolean;
  /** Of the user's memory, where it begins. */
  readonly from: number;
}

export class ReferenceSpace {
  pieces: Piece[] = [];
  tracked = false;
  readonly dirty = new Set<number>();
  /** How a call is refused that cuts a mapping, or finds none. */
  readonly manner: "type1" | "iommufd";

  constructor(manner: "type1" | "iommufd") {
    this.manner = manner;
  }

  map(at: number, count: number, writable: boolean, from: number): Answer {
    if (count < 1) return "EINVAL";
    if (this.pieces.some((piece) => at < piece.at + piece.count && piece.at < at + count)) return "EEXIST";
    this.pieces.push({ at, count, writable, from });
    return "ok";
  }

  /** @returns pages unmapped */
  unmap(at: number, count: number): Answer | number {
    if (count < 1) return "EINVAL";
    if (this.#cuts(at, count)) return this.manner === "type1" ? "EINVAL" : "ENOENT";
    const going = this.pieces.filter((piece) => piece.at >= at && piece.at + piece.count <= at + count);
    if (going.length === 0 && this.manner === "iommufd") return "ENOENT";
    this.pieces = this.pieces.filter((piece) => !going.includes(piece));
    for (const { at: first, count: length } of going) {
      for (let each = first; each < first + length; each += 1) this.dirty.delete(each);
    }
    return going.reduce((sum, piece) => sum + piece.count, 0);
  }

  /** Where in the user's memory a byte is. */
  find(iova: number): { readonly piece: Piece; readonly address: number } | null {
    const number = Math.floor(iova / pageBytes);
    const piece = this.pieces.find(({ at, count }) => at <= number && number < at + count);
    if (piece === undefined) return null;
    return { piece, address: piece.from * pageBytes + iova - piece.at * pageBytes };
  }

  /** Whether all of these pages can be used so. */
  reach(at: number, count: number, access: "read" | "write"): Answer {
    for (let each = at; each < at + count; each += 1) {
      const found = this.find(each * pageBytes);
      if (found === null) return "EFAULT";
      if (access === "write" && !found.piece.writable) return "EPERM";
    }
    return "ok";
  }

  wrote(number: number): void {
    if (this.tracked) this.dirty.add(number);
  }

  track(on: boolean): void {
    this.tracked = on;
    if (!on) this.dirty.clear();
  }

  /** @param pinned pages that a device may be writing unseen @returns a bit for each page */
  takeDirty(at: number, count: number, pinned: ReadonlySet<number>): Answer | number {
    if (!this.tracked || count < 1 || this.#cuts(at, count, "ends")) return "EINVAL";
    let bits = 0;
    for (let each = at; each < at + count; each += 1) {
      if (this.dirty.delete(each) || pinned.has(each)) bits += 2 ** (each - at);
    }
    return bits;
  }

  forget(): void {
    this.pieces = [];
    this.track(false);
  }

  #cuts(at: number, count: number, which: "all" | "ends" = "all"): boolean {
    return this.pieces.some((piece) => {
      const end = piece.at + piece.count;
      const whole = piece.at >= at && end <= at + count;
      if (which === "all") return at < end && piece.at < at + count && !whole;
      return (piece.at < at && at < end) || (piece.at < at + count && at + count < end);
    });
  }
}
