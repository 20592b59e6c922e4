import type { Libc } from "./libc.js";

/**
 * One mapping and its retirement. JavaScript can't take views back, and a view that outlives `munmap` is a segmentation fault. So a
 * retired mapping is overlaid with private zeros: stale views read zeros, and what they write goes nowhere. The addresses are given back
 * when the garbage collector has seen that the ArrayBuffer, and with it every view, is gone; if that never happens, address space is
 * all that stays in use. (`structuredClone` with transfer must not be used on these buffers: it does not detach the original.)
 */
export class Mapping {
  readonly buffer: ArrayBuffer;
  readonly #libc: Libc;
  readonly #address: bigint;
  #state: "mapped" | "retired" = "mapped";

  constructor(libc: Libc, reservations: Reservations, fd: number, bytes: number) {
    this.#libc = libc;
    this.#address = libc.map(fd, bytes);
    try {
      this.buffer = libc.view(this.#address, bytes);
    } catch (error) {
      libc.unmap(this.#address, bytes);
      throw error;
    }
    reservations.watch(this.buffer, this.#address, bytes);
  }

  /** Idempotent. From here on the shared memory is not reachable through `buffer`. */
  retire(): void {
    if (this.#state === "retired") return;
    this.#state = "retired";
    this.#libc.overlay(this.#address, this.buffer.byteLength);
  }
}

/** Gives address space back when nothing can reach it any more. */
export class Reservations {
  readonly #registry: FinalizationRegistry<{ address: bigint; bytes: number }>;

  constructor(libc: Libc) {
    this.#registry = new FinalizationRegistry(({ address, bytes }) => libc.unmap(address, bytes));
  }

  watch(buffer: ArrayBuffer, address: bigint, bytes: number): void {
    this.#registry.register(buffer, { address, bytes });
  }
}
