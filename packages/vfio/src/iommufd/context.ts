/**
 * What an open /dev/iommu stands for: address spaces by number. It lives as long as its file or a device that is bound to
 * it, whichever is longer.
 */
import { KernelError, type Named, Refcount, type Runtime } from "parhelion-core";
import { Type1 } from "../container/type1.js";
import { Ioas, type IoasLimits } from "../iommu/ioas.js";

export class IommufdContext implements Named {
  readonly name: string;
  readonly #runtime: Runtime;
  readonly #limits: IoasLimits;
  readonly #refs: Refcount;
  readonly #spaces = new Map<number, Ioas>();
  #lastId = 0;
  #compat: Type1 | null = null;

  constructor(runtime: Runtime, name: string, limits: IoasLimits) {
    this.#runtime = runtime;
    this.name = name;
    this.#limits = limits;
    this.#refs = new Refcount(runtime, name, () => this.#spaces.clear());
  }

  /** What a group uses that takes the iommufd for a container; null before one has. */
  get compat(): Type1 | null {
    this.#runtime.scheduler.access(this, "read");
    return this.#compat;
  }

  get(): void {
    this.#refs.get();
  }

  put(): void {
    this.#refs.put();
  }

  /** A number for what is not an address space, too: a device that is bound. */
  nextId(): number {
    this.#runtime.scheduler.access(this, "write");
    this.#lastId += 1;
    return this.#lastId;
  }

  alloc(): number {
    const id = this.nextId();
    this.#spaces.set(id, new Ioas(this.#runtime, `ioas ${id} of ${this.name}`, this.#limits));
    return id;
  }

  /** @throws KernelError ENOENT */
  find(id: number): Ioas {
    this.#runtime.scheduler.access(this, "read");
    const ioas = this.#spaces.get(id);
    if (ioas !== undefined) return ioas;
    throw new KernelError("ENOENT", `${this.name} has no address space ${id}`);
  }

  /** @throws KernelError ENOENT, EBUSY a device is attached to it */
  destroy(id: number): void {
    const ioas = this.find(id);
    if (ioas.accesses.size > 0) {
      throw new KernelError("EBUSY", `${ioas.name} has devices attached to it; detach them`);
    }
    this.#runtime.scheduler.access(this, "write");
    this.#spaces.delete(id);
  }

  /** Makes what a group needs that takes the iommufd for a container. Without effect the second time. */
  ensureCompat(): Type1 {
    this.#runtime.scheduler.access(this, "write");
    this.#compat ??= new Type1(this.find(this.alloc()), 2);
    return this.#compat;
  }
}
