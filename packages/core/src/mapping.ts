/**
 * Memory of a device in its opener's reach. It holds the file, so it outlives the file's close, and it is zapped when
 * the device goes: nothing of a removed device can be reached through it, whenever its opener lets go of it.
 */
import { KernelError } from "./error.js";
import type { Runtime, WaitOptions } from "./runtime.js";
import { invoke } from "./sync/call.js";
import { Completion } from "./sync/completion.js";
import type { Named } from "./sync/scheduler.js";

export interface MapRange {
  /** In bytes, a multiple of `mapAlignment`. */
  readonly offset: number;
  /** In bytes, at least one. */
  readonly length: number;
  /** Default "read-write". */
  readonly access?: "read" | "read-write";
}

/** What a driver gives for a range. */
export interface MappedMemory {
  /** Where the range begins; what it lacks at the end can't be reached. Not touched through the mapping once the device is removed. */
  readonly bytes: Uint8Array;
  /** The last call for this mapping; device and file may be gone. An error is logged as `unmap.failed`. */
  unmap?(): void | Promise<void>;
}

/** A page. */
export const mapAlignment = 4096;

export class Mapping implements Named {
  readonly name: string;
  readonly range: MapRange;
  readonly #runtime: Runtime;
  readonly #memory: MappedMemory;
  readonly #unmapped: Completion;
  readonly #gone: (mapping: Mapping) => void;
  #state: "mapped" | "zapped" | "unmapped" = "mapped";

  /** @param gone called once, after the driver's unmap */
  constructor(
    runtime: Runtime,
    name: string,
    range: MapRange,
    memory: MappedMemory,
    gone: (mapping: Mapping) => void,
  ) {
    this.name = name;
    this.range = range;
    this.#runtime = runtime;
    this.#memory = memory;
    this.#gone = gone;
    this.#unmapped = new Completion(runtime, `unmap of ${name}`);
  }

  get state(): "mapped" | "zapped" | "unmapped" {
    this.#runtime.scheduler.access(this, "read");
    return this.#state;
  }

  /**
   * A copy of `length` bytes from `offset` of the mapping on.
   * @throws KernelError ENODEV the device is gone (where a process would get SIGBUS), EFAULT outside of the mapping or
   * after `unmap` (SIGSEGV)
   */
  read(offset: number, length: number): Uint8Array {
    return this.#bytes(offset, length).slice();
  }

  /** @throws KernelError as `read`, and EACCES it is mapped for reading only */
  write(offset: number, bytes: Uint8Array): void {
    const target = this.#bytes(offset, bytes.length);
    if (this.range.access === "read") {
      throw new KernelError("EACCES", `write to ${this.name}, which is mapped for reading`);
    }
    this.#runtime.scheduler.access(this, "write");
    target.set(bytes);
  }

  /**
   * Lets go of the memory, and of the file, and waits until the driver has. Works after the device is gone.
   * @throws KernelError EINVAL unmapped before, ETIMEDOUT: unmapped, but the driver is not done with it
   */
  async unmap(options?: WaitOptions): Promise<void> {
    this.#runtime.scheduler.access(this, "write");
    if (this.#state === "unmapped") throw new KernelError("EINVAL", `${this.name} is unmapped already`);
    this.#state = "unmapped";
    this.#runtime.scheduler.spawn(this.#unmapped.name, async () => {
      try {
        await invoke(this.#runtime, "unmap", this, () => this.#memory.unmap?.());
      } catch (error) {
        this.#runtime.log("error", "unmap.failed", { mapping: this.name, error });
      }
      this.#unmapped.completeAll();
      this.#gone(this);
    });
    await this.#unmapped.wait(options);
  }

  /** The device is gone. Only the file calls this. */
  zap(): void {
    this.#runtime.scheduler.access(this, "write");
    if (this.#state === "mapped") this.#state = "zapped";
  }

  #bytes(offset: number, length: number): Uint8Array {
    const state = this.state;
    if (state === "zapped") throw new KernelError("ENODEV", `${this.name}: its device is not there`);
    if (state === "unmapped") throw new KernelError("EFAULT", `${this.name} is unmapped`);
    const size = Math.min(this.range.length, this.#memory.bytes.length);
    if (
      !(
        Number.isInteger(offset) &&
        Number.isInteger(length) &&
        offset >= 0 &&
        length >= 0 &&
        offset + length <= size
      )
    ) {
      throw new KernelError(
        "EFAULT",
        `${this.name}: ${length} bytes at ${offset} are not within its ${size}`,
      );
    }
    return this.#memory.bytes.subarray(offset, offset + length);
  }
}

/** @throws KernelError EINVAL */
export function checkRange(what: string, { offset, length }: MapRange): void {
  const valid = Number.isSafeInteger(offset) && Number.isSafeInteger(length) && offset >= 0 && length >= 1;
  if (valid && offset % mapAlignment === 0 && Number.isSafeInteger(offset + length)) return;
  throw new KernelError(
    "EINVAL",
    `${what}: ${length} bytes at ${offset}; map at least one, at a multiple of ${mapAlignment}`,
  );
}
