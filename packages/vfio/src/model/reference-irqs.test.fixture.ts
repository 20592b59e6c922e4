/** Interrupts, said as counters: each who listens has one, and a line is a level. */
import type { Answer } from "./reference-space.test.fixture.js";

/** Who was given for a vector. */
export interface Listener {
  told: number;
  held: boolean;
}

interface Slot {
  listener: Listener | null;
  masked: boolean;
  pending: boolean;
}

/** What the device of the test has, by index. */
export const kinds = [
  { count: 1, automasked: true },
  { count: 4, noresize: true },
  { count: 1 },
  { count: 1, notice: true },
] as const;

export class ReferenceIrqs {
  readonly #slots: Slot[][] = kinds.map(() => []);
  readonly #high = new Set<number>();
  still = false;

  enable(index: number, start: number, listeners: readonly (Listener | null)[]): Answer {
    const kind = kinds[index];
    const slots = this.#slots[index];
    const end = start + listeners.length;
    if (kind === undefined || slots === undefined || end > kind.count) return "EINVAL";
    if ("noresize" in kind && slots.length > 0 && end > slots.length) return "EINVAL";
    for (const [at, listener] of listeners.entries()) {
      while (slots.length <= start + at) slots.push({ listener: null, masked: false, pending: false });
      const slot = slots[start + at] as Slot;
      if (slot.listener !== null) slot.listener.held = false;
      slot.listener = listener;
      if (listener !== null && this.#isHigh(index, start + at)) this.#come(index, slot, 1);
    }
    return "ok";
  }

  disable(index: number): void {
    for (const { listener } of this.#slots[index] ?? []) if (listener !== null) listener.held = false;
    this.#slots[index] = [];
  }

  mask(index: number, masked: boolean): Answer {
    if (index !== 0) return "EINVAL";
    const [slot] = this.#slots[0] ?? [];
    if (slot === undefined) return "ok";
    slot.masked = masked;
    if (masked) return "ok";
    const comes = slot.pending || this.#isHigh(0, 0);
    slot.pending = false;
    if (comes) this.#come(0, slot, 1);
    return "ok";
  }

  fire(index: number, vector: number): Answer {
    if (vector >= (kinds[index]?.count ?? 0)) return "EINVAL";
    const listener = this.#slots[index]?.[vector]?.listener ?? null;
    if (listener !== null) listener.told += 1;
    return "ok";
  }

  /** The device does. @returns whether somebody listens */
  trigger(index: number, vector: number): boolean {
    const slot = this.#slots[index]?.[vector];
    if (slot === undefined || slot.listener === null) return false;
    this.#come(index, slot, 1);
    return true;
  }

  /** The line of index 0. */
  drive(level: "high" | "low"): void {
    const [slot] = this.#slots[0] ?? [];
    if (level === "low") {
      this.#high.delete(0);
      if (slot !== undefined) slot.pending = false;
    } else if (!this.#high.has(0)) {
      this.#high.add(0);
      if (slot !== undefined && slot.listener !== null) this.#come(0, slot, 1);
    }
  }

  move(): void {
    this.still = false;
    for (const [index, slots] of this.#slots.entries()) {
      for (const slot of slots) {
        if (!slot.pending || slot.masked) continue;
        slot.pending = false;
        this.#come(index, slot, 1);
      }
    }
  }

  forget(): void {
    for (const index of kinds.keys()) this.disable(index);
  }

  #isHigh(index: number, vector: number): boolean {
    return vector === 0 && this.#high.has(index);
  }

  #come(index: number, slot: Slot, count: number): void {
    const kind = kinds[index];
    if (slot.masked || (this.still && !(kind !== undefined && "notice" in kind))) {
      slot.pending = true;
      return;
    }
    if (slot.listener !== null) slot.listener.told += count;
    if (kind !== undefined && "automasked" in kind) slot.masked = true;
  }
}
