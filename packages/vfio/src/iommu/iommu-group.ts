/**
 * Devices that an IOMMU can't keep apart: whoever has one of them has all. Made by whoever knows the hardware; a device
 * without one gets a group of its own, which nothing real stands behind.
 */
import { KernelError, type Named, type Runtime } from "parhelion-core";

export class IommuGroup implements Named {
  readonly name: string;
  readonly id: number;
  /** Whether devices see what the processor has in its caches: VFIO needs it. */
  readonly cacheCoherent: boolean;
  readonly #runtime: Runtime;
  #owner: Named | null = null;
  #claims = 0;

  /** Only `Vfio.createIommuGroup` calls this. */
  constructor(runtime: Runtime, id: number, cacheCoherent: boolean) {
    this.#runtime = runtime;
    this.name = `iommu group ${id}`;
    this.id = id;
    this.cacheCoherent = cacheCoherent;
  }

  get owned(): boolean {
    this.#runtime.scheduler.access(this, "read");
    return this.#owner !== null;
  }

  /** @throws KernelError EBUSY somebody else has it */
  claim(owner: Named): void {
    this.#runtime.scheduler.access(this, "write");
    if (this.#owner !== null && this.#owner !== owner) {
      throw new KernelError("EBUSY", `${this.name} belongs to ${this.#owner.name}`);
    }
    this.#owner = owner;
    this.#claims += 1;
  }

  /** Precondition: it was claimed. */
  release(): void {
    this.#runtime.scheduler.access(this, "write");
    this.#claims -= 1;
    if (this.#claims === 0) this.#owner = null;
  }
}
