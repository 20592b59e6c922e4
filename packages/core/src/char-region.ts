/**
 * A range of character device numbers: one major, some of its minors. Who registers it hands its minors to its nodes
 * (fs/char_dev.c, register_chrdev_region and alloc_chrdev_region).
 */
import { KernelError } from "./error.js";
import { Ida } from "./ida.js";

export interface CharRegionInit {
  /** What /proc/devices would show: who has the numbers. */
  readonly name: string;
  /** How many minors. */
  readonly count: number;
  /** 1 … 511; without it the first free one of those that are handed out. */
  readonly major?: number;
  /** Default 0. */
  readonly firstMinor?: number;
}

/** 20 bits (include/linux/kdev_t.h, MINORBITS). */
export const minorCount = 2 ** 20;

export class CharRegion {
  readonly name: string;
  readonly major: number;
  readonly firstMinor: number;
  readonly count: number;
  readonly #taken: Ida;
  readonly #dynamicFrom: number;
  #inUse = 0;

  /** Only the registry makes regions. @param dynamicFrom the first minor that nobody has to ask for by number */
  constructor(init: CharRegionInit & { readonly major: number }, dynamicFrom = init.firstMinor ?? 0) {
    this.name = init.name;
    this.major = init.major;
    this.firstMinor = init.firstMinor ?? 0;
    this.count = init.count;
    this.#taken = new Ida(init.count);
    this.#dynamicFrom = dynamicFrom - this.firstMinor;
  }

  /** How many of its minors belong to nodes. */
  get inUse(): number {
    return this.#inUse;
  }

  has(minor: number): boolean {
    return minor >= this.firstMinor && minor < this.firstMinor + this.count;
  }

  /** @throws KernelError EBUSY the wanted minor, or, without one, every minor is in use */
  take(wanted: number | null, who: string): number {
    const id = wanted === null ? this.#taken.allocate(this.#dynamicFrom) : wanted - this.firstMinor;
    const last = this.firstMinor + this.count - 1;
    if (id === null) {
      throw new KernelError("EBUSY", `node ${who}: every minor of ${this.name} up to ${last} is in use`);
    }
    if (wanted !== null && !this.#taken.take(id)) {
      throw new KernelError("EBUSY", `node ${who}: minor ${wanted} is in use; leave it out`);
    }
    this.#inUse += 1;
    return id + this.firstMinor;
  }

  give(minor: number): void {
    if (this.#taken.free(minor - this.firstMinor)) this.#inUse -= 1;
  }
}
