/**
 * What VFIO should answer, said once more and differently: no objects, no locks, no order of checks beyond what a user can
 * see. An address space is a list of pages; a device knows who has it; an interrupt is a counter.
 */
import type { ErrnoCode } from "parhelion-core";

export const page = 4096n;
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

  map(at: number, count: number, writable: boolean, from: number): Answer {
    if (count < 1) return "EINVAL";
    if (this.pieces.some((piece) => at < piece.at + piece.count && piece.at < at + count)) return "EEXIST";
    this.pieces.push({ at, count, writable, from });
    return "ok";
  }

  /** @returns pages unmapped */
  unmap(at: number, count: number): Answer | number {
    if (count < 1) return "EINVAL";
    const cut = this.pieces.some(
      (piece) =>
        at < piece.at + piece.count &&
        piece.at < at + count &&
        !(piece.at >= at && piece.at + piece.count <= at + count),
    );
    if (cut) return "EINVAL";
    const going = this.pieces.filter((piece) => piece.at >= at && piece.at + piece.count <= at + count);
    this.pieces = this.pieces.filter((piece) => !going.includes(piece));
    for (const { at: first, count: length } of going) {
      for (let each = first; each < first + length; each += 1) this.dirty.delete(each);
    }
    return going.reduce((sum, piece) => sum + piece.count, 0);
  }

  /** Where in the user's memory a byte is. */
  find(iova: number): { readonly piece: Piece; readonly address: number } | null {
    const number = Math.floor(iova / Number(page));
    const piece = this.pieces.find(({ at, count }) => at <= number && number < at + count);
    if (piece === undefined) return null;
    return { piece, address: piece.from * Number(page) + iova - piece.at * Number(page) };
  }

  wrote(iova: number): void {
    if (this.tracked) this.dirty.add(Math.floor(iova / Number(page)));
  }

  /** @returns a bit for each page */
  takeDirty(at: number, count: number): Answer | number {
    if (!this.tracked || count < 1) return "EINVAL";
    const cut = this.pieces.some(
      (piece) =>
        (piece.at < at && at < piece.at + piece.count) ||
        (piece.at < at + count && at + count < piece.at + piece.count),
    );
    if (cut) return "EINVAL";
    let bits = 0;
    for (let each = at; each < at + count; each += 1) if (this.dirty.delete(each)) bits += 2 ** (each - at);
    return bits;
  }
}

/** One device in a group of its own. */
export class ReferenceDevice {
  readonly space = new ReferenceSpace();
  group: "closed" | "open" | "contained" | "ready" = "closed";
  /** Files that were got from the group. */
  files = 0;
  /** Whether the group's own file is still open. */
  groupFile = false;
  /** The device's own file, open and perhaps bound. */
  own: "closed" | "open" | "bound" = "closed";
  present = true;

  openGroup(): Answer {
    if (this.group !== "closed" || this.own === "bound") return "EBUSY";
    this.group = "open";
    this.groupFile = true;
    return "ok";
  }

  closeGroup(): void {
    this.groupFile = false;
    this.#settle();
  }

  setContainer(): Answer {
    if (this.group !== "open") return "EINVAL";
    this.group = "contained";
    return "ok";
  }

  unsetContainer(): Answer {
    if (this.group === "open") return "EINVAL";
    if (this.files > 0) return "EBUSY";
    this.#forget();
    this.group = "open";
    return "ok";
  }

  setIommu(): Answer {
    if (this.group !== "contained") return "EINVAL";
    this.group = "ready";
    return "ok";
  }

  getDevice(): Answer {
    if (this.group !== "ready") return "EINVAL";
    this.files += 1;
    return "ok";
  }

  closeDevice(): void {
    this.files -= 1;
    this.#settle();
  }

  bind(): Answer {
    if (this.group !== "closed") return "EBUSY";
    if (this.own === "bound") return "EINVAL";
    this.own = "bound";
    return "ok";
  }

  #settle(): void {
    if (this.groupFile || this.files > 0) return;
    this.group = "closed";
    this.#forget();
  }

  #forget(): void {
    this.space.pieces = [];
    this.space.tracked = false;
    this.space.dirty.clear();
  }
}
