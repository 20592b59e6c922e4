/**
 * Which bytes of a compressed image are free, kept as extents in ascending order that neither touch nor overlap. The last free bytes of
 * the file are no extent: the file ends there.
 */
export interface Extent {
  readonly position: number;
  readonly length: number;
}

export interface Grant extends Extent {
  /** At most this much bigger than asked for: a gap too small to be of use goes with its neighbour. */
  readonly length: number;
}

/** Gaps below this are not left behind. Hercules' own smallest gap is the same. */
export const smallestGap = 96;

export class FreeSpace {
  #extents: Extent[];
  #end: number;

  /** @param extents ascending, apart from one another, before `end` */
  constructor(extents: readonly Extent[], end: number) {
    this.#extents = [...extents];
    this.#end = end;
  }

  get extents(): readonly Extent[] {
    return this.#extents;
  }

  /** One past the last byte in use. */
  get end(): number {
    return this.#end;
  }

  get total(): number {
    return this.#extents.reduce((sum, { length }) => sum + length, 0);
  }

  get largest(): number {
    return this.#extents.reduce((most, { length }) => Math.max(most, length), 0);
  }

  /**
   * The smallest gap that has room, else the end of the file.
   * @param slack exact: no byte more than asked for, for what has a fixed size
   * @returns undefined where the file would pass `limit`
   */
  take(length: number, slack: "exact" | "with-remainder", limit: number): Grant | undefined {
    let best = -1;
    for (const [index, extent] of this.#extents.entries()) {
      const rest = extent.length - length;
      if (rest < 0 || (slack === "exact" && rest > 0 && rest < smallestGap)) continue;
      if (best < 0 || extent.length < (this.#extents[best] as Extent).length) best = index;
    }
    if (best < 0) return this.#append(length, limit);
    const { position, length: found } = this.#extents[best] as Extent;
    const rest = found - length;
    if (rest < smallestGap) {
      this.#extents.splice(best, 1);
      return { position, length: found };
    }
    this.#extents[best] = { position: position + length, length: rest };
    return { position, length };
  }

  #append(length: number, limit: number): Grant | undefined {
    if (this.#end + length > limit) return undefined;
    const position = this.#end;
    this.#end += length;
    return { position, length };
  }

  /** The bytes are free from now on; they were in use until now. */
  give({ position, length }: Extent): void {
    if (length === 0) return;
    let at = this.#extents.findIndex((extent) => extent.position > position);
    if (at < 0) at = this.#extents.length;
    let from = position;
    let to = position + length;
    const after = this.#extents[at];
    const before = at > 0 ? this.#extents[at - 1] : undefined;
    let removed = 0;
    if (after !== undefined && after.position === to) {
      to += after.length;
      removed += 1;
    }
    if (before !== undefined && before.position + before.length === from) {
      from = before.position;
      at -= 1;
      removed += 1;
    }
    if (to === this.#end) {
      this.#extents.splice(at, removed);
      this.#end = from;
    } else this.#extents.splice(at, removed, { position: from, length: to - from });
  }
}
