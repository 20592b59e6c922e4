/** Which character device numbers of a system belong to whom. */
import { CharRegion, type CharRegionInit, minorCount } from "./char-region.js";
import { KernelError } from "./error.js";
import type { Runtime } from "./runtime.js";
import type { Named } from "./sync/scheduler.js";

/** The majors that are handed out, in this order (include/linux/fs.h, CHRDEV_MAJOR_DYN_…; fs/char_dev.c). */
const dynamicMajors: readonly (readonly [from: number, to: number])[] = [
  [254, 234],
  [511, 384],
];
const lastMajor = 511;

export class CharRegions implements Named {
  readonly name = "character device numbers";
  readonly #runtime: Runtime;
  readonly #byMajor = new Map<number, Set<CharRegion>>();

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /** @throws KernelError EINVAL no such numbers, EBUSY some of them, or every major there is to hand out, are taken */
  register(init: CharRegionInit, dynamicFrom?: number): CharRegion {
    this.#runtime.scheduler.access(this, "write");
    const { name, count, firstMinor = 0 } = init;
    const fits = Number.isInteger(count) && Number.isInteger(firstMinor) && count > 0 && firstMinor >= 0;
    if (!fits || firstMinor + count > minorCount) {
      throw new KernelError(
        "EINVAL",
        `region ${name}: ${count} minors from ${firstMinor} on; the last there is is ${minorCount - 1}`,
      );
    }
    const major = init.major ?? this.#freeMajor(name);
    if (!(Number.isInteger(major) && major >= 1 && major <= lastMajor)) {
      throw new KernelError("EINVAL", `region ${name}: major ${major} is not in 1 … ${lastMajor}`);
    }
    const neighbours = this.#byMajor.get(major) ?? new Set();
    for (const other of neighbours) {
      if (firstMinor < other.firstMinor + other.count && other.firstMinor < firstMinor + count) {
        throw new KernelError(
          "EBUSY",
          `region ${name}: ${other.name} has minors of major ${major} among these`,
        );
      }
    }
    const region = new CharRegion({ ...init, major }, dynamicFrom);
    neighbours.add(region);
    this.#byMajor.set(major, neighbours);
    return region;
  }

  /** @throws KernelError EBUSY nodes have minors of it, EINVAL it is not registered */
  unregister(region: CharRegion): void {
    this.assertRegistered(region);
    this.#runtime.scheduler.access(this, "write");
    if (region.inUse > 0) {
      throw new KernelError(
        "EBUSY",
        `region ${region.name}: ${region.inUse} of its minors are in use; remove their devices first`,
      );
    }
    const neighbours = this.#byMajor.get(region.major);
    neighbours?.delete(region);
    if (neighbours?.size === 0) this.#byMajor.delete(region.major);
  }

  /** @throws KernelError EINVAL */
  assertRegistered(region: CharRegion): void {
    this.#runtime.scheduler.access(this, "read");
    if (this.#byMajor.get(region.major)?.has(region) === true) return;
    throw new KernelError("EINVAL", `region ${region.name} is not registered`);
  }

  #freeMajor(name: string): number {
    for (const [from, to] of dynamicMajors) {
      for (let major = from; major >= to; major -= 1) if (!this.#byMajor.has(major)) return major;
    }
    throw new KernelError("EBUSY", `region ${name}: every major that is handed out is in use; ask for one`);
  }
}
