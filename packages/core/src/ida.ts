/**
 * Numbers handed out and taken back (Linux: IDA). A tree of 32 bits a node: what is free is found in as many steps as
 * the tree is deep, and only as much of it exists as numbers are in use.
 */
interface Branch {
  /** Bit i: nothing is free under child i. In a leaf: number i is taken. */
  full: number;
  /** How many children exist, in a leaf how many numbers are taken. */
  used: number;
  readonly children: (Branch | undefined)[];
}

const bitsPerLevel = 5;
const fanout = 32;

export class Ida {
  readonly size: number;
  readonly #top: number;
  readonly #root: Branch = branch();

  /** Numbers 0 … size - 1. Precondition: 0 < size ≤ 2^30. */
  constructor(size: number) {
    this.size = size;
    let levels = 1;
    while (fanout ** levels < size) levels += 1;
    this.#top = levels - 1;
  }

  /** Takes the lowest free number from `from` on; null when none is left. */
  allocate(from = 0): number | null {
    const id = this.#find(this.#root, this.#top, 0, from);
    if (id === null || id >= this.size) return null;
    this.take(id);
    return id;
  }

  /** Takes this number. False when it is taken already. Precondition: 0 ≤ id < size. */
  take(id: number): boolean {
    if (this.has(id)) return false;
    const path = [this.#root];
    for (let level = this.#top; level > 0; level -= 1) {
      const parent = path.at(-1) as Branch;
      const index = indexAt(id, level);
      let child = parent.children[index];
      if (child === undefined) {
        child = branch();
        parent.children[index] = child;
        parent.used += 1;
      }
      path.push(child);
    }
    for (let level = 0; level <= this.#top; level += 1) {
      const node = path[this.#top - level] as Branch;
      if (level === 0) node.used += 1;
      node.full |= 1 << indexAt(id, level);
      if (node.full !== -1) break;
    }
    return true;
  }

  has(id: number): boolean {
    let node: Branch | undefined = this.#root;
    for (let level = this.#top; level > 0; level -= 1) {
      if (isFull(node, indexAt(id, level))) return true;
      node = node.children[indexAt(id, level)];
      if (node === undefined) return false;
    }
    return isFull(node, indexAt(id, 0));
  }

  /** Gives a number back. False when it is not taken. Precondition: 0 ≤ id < size. */
  free(id: number): boolean {
    if (!this.has(id)) return false;
    this.#free(this.#root, this.#top, id);
    return true;
  }

  /** @returns whether nothing is left under the node */
  #free(node: Branch, level: number, id: number): boolean {
    const index = indexAt(id, level);
    node.full &= ~(1 << index);
    const child = node.children[index];
    if (child !== undefined && !this.#free(child, level - 1, id)) return false;
    delete node.children[index];
    node.used -= 1;
    return node.used === 0;
  }

  #find(node: Branch, level: number, base: number, from: number): number | null {
    const span = fanout ** level;
    for (let index = 0; index < fanout; index += 1) {
      const first = base + index * span;
      if (first + span <= from || isFull(node, index)) continue;
      const child = node.children[index];
      if (child === undefined) return Math.max(first, from);
      const id = this.#find(child, level - 1, first, from);
      if (id !== null) return id;
    }
    return null;
  }
}

function branch(): Branch {
  return { full: 0, used: 0, children: [] };
}

function indexAt(id: number, level: number): number {
  return (id >> (bitsPerLevel * level)) & (fanout - 1);
}

function isFull({ full }: Branch, index: number): boolean {
  return ((full >>> index) & 1) === 1;
}
