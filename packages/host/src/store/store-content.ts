/** What the store holds in memory, and what a change makes of it. Nothing here writes. */
import { HostError } from "../host-error.js";
import { Digest } from "./digest.js";
import { damaged } from "./level-table.js";
import {
  decodeGuest,
  decodeSlice,
  decodeSummary,
  decodeUuidMark,
  encodeGuest,
  encodeSlice,
  encodeSummary,
  encodeUuidMark,
  keyOf,
  kindOf,
  type Placed,
  type StoreSummary,
  summaryKey,
} from "./record-codec.js";
import type { StoredGuest, StoredSlice } from "./records.js";
import type { StoreChange } from "./store.js";
import type { Table, TableEdit } from "./table.js";

interface Kept<T> extends Placed<T> {
  readonly text: string;
}

interface State {
  /** By key. */
  readonly guests: ReadonlyMap<string, Kept<StoredGuest>>;
  readonly slices: ReadonlyMap<string, Kept<StoredSlice>>;
  readonly records: number;
  readonly generation: number;
  readonly digest: Digest;
  /** As it is kept; undefined: nothing was ever kept. */
  readonly summary: string | undefined;
}

/** A change, worked out. */
export interface StoreStep {
  readonly edits: readonly TableEdit[];
  /** What makes the table what it was. */
  readonly undo: readonly TableEdit[];
  readonly after: State;
}

type Get = (key: string) => Promise<string | undefined>;

export class StoreContent {
  #state: State;
  #lastGeneration: number;

  private constructor(state: State) {
    this.#state = state;
    this.#lastGeneration = state.generation;
  }

  /** @throws HostError store-damaged, and what reading the table throws */
  static async read(table: Table): Promise<StoreContent> {
    const guests = new Map<string, Kept<StoredGuest>>();
    const slices = new Map<string, Kept<StoredSlice>>();
    const digest = new Digest();
    let kept: { readonly text: string; readonly summary: StoreSummary } | undefined;
    let others = 0;
    for await (const [key, text] of table.entries()) {
      try {
        const kind = kindOf(key);
        if (kind === "store") {
          kept = { text, summary: decodeSummary(text) };
          continue;
        }
        if (kind === "guest") guests.set(key, { text, ...decodeGuest(key, text) });
        else if (kind === "slice") slices.set(key, { text, ...decodeSlice(key, text) });
        else decodeUuidMark(key, text);
      } catch (error) {
        throw damaged(table.where, (error as Error).message, error, key);
      }
      digest.toggle(key, text);
      others += 1;
    }
    if (kept === undefined) {
      if (others > 0) throw damaged(table.where, `it has ${others} records and no summary of them`);
      return new StoreContent({
        guests,
        slices,
        records: 0,
        generation: 0,
        digest,
        summary: undefined,
      });
    }
    if (`${digest}` !== kept.summary.digest)
      throw damaged(
        table.where,
        "its records are not those that were kept last: some are missing or changed",
      );
    const { records, generation } = kept.summary;
    return new StoreContent({
      guests: inOrder(guests),
      slices: inOrder(slices),
      records,
      generation,
      digest,
      summary: kept.text,
    });
  }

  get guests(): readonly StoredGuest[] {
    return [...this.#state.guests.values()].map(({ value }) => value);
  }

  get slices(): readonly StoredSlice[] {
    return [...this.#state.slices.values()].map(({ value }) => value);
  }

  /** What the table's record of the kind `store` has to be. */
  get summary(): string | undefined {
    return this.#state.summary;
  }

  nextGeneration(): number {
    this.#lastGeneration += 1;
    return this.#lastGeneration;
  }

  async wasUsed(get: Get, uuid: string): Promise<boolean> {
    return (await get(keyOf("uuid", uuid))) !== undefined;
  }

  /** @throws HostError uuid-used; Error the change contradicts itself; what `get` throws */
  async plan(get: Get, change: StoreChange): Promise<StoreStep> {
    const before = this.#state;
    const plan = new Plan(before);
    for (const id of change.removeGuests ?? []) plan.remove(keyOf("guest", id));
    for (const uuid of change.removeSlices ?? []) plan.remove(keyOf("slice", uuid));
    for (const guest of change.putGuests ?? []) {
      const key = keyOf("guest", guest.id);
      plan.put(key, plan.guests, guest, encodeGuest, decodeGuest);
    }
    for (const slice of change.putSlices ?? []) {
      const key = keyOf("slice", slice.uuid);
      if (!before.slices.has(key)) {
        if (await this.wasUsed(get, slice.uuid)) throw used(slice.uuid);
        plan.mark(keyOf("uuid", slice.uuid));
      }
      plan.put(key, plan.slices, slice, encodeSlice, decodeSlice);
      plan.generation = Math.max(plan.generation, slice.generation);
    }
    return plan.step();
  }

  take(step: StoreStep): void {
    this.#state = step.after;
    this.#lastGeneration = Math.max(this.#lastGeneration, step.after.generation);
  }
}

class Plan {
  readonly guests: Map<string, Kept<StoredGuest>>;
  readonly slices: Map<string, Kept<StoredSlice>>;
  generation: number;
  readonly #before: State;
  readonly #digest: Digest;
  readonly #edits = new Map<string, string | null>();
  #records: number;

  constructor(before: State) {
    this.#before = before;
    this.guests = new Map(before.guests);
    this.slices = new Map(before.slices);
    this.generation = before.generation;
    this.#digest = before.digest.copy();
    this.#records = before.records;
  }

  remove(key: string): void {
    const there = this.guests.get(key) ?? this.slices.get(key);
    if (there === undefined) return;
    this.#digest.toggle(key, there.text);
    this.#edits.set(key, null);
    this.guests.delete(key);
    this.slices.delete(key);
  }

  put<T>(
    key: string,
    among: Map<string, Kept<T>>,
    value: T,
    encode: (placed: Placed<T>) => string,
    decode: (key: string, text: string) => Placed<T>,
  ): void {
    const there = among.get(key);
    const place = there?.place ?? this.#records;
    const text = encode({ place, value });
    // What could not be read would keep the next host from starting.
    const placed = decode(key, text);
    if (there === undefined) this.#records += 1;
    else this.#digest.toggle(key, there.text);
    this.#digest.toggle(key, text);
    this.#edits.set(key, text);
    among.set(key, { text, ...placed });
  }

  mark(key: string): void {
    if (this.#edits.has(key)) return;
    const text = encodeUuidMark();
    this.#digest.toggle(key, text);
    this.#edits.set(key, text);
  }

  step(): StoreStep {
    for (const { value } of this.slices.values()) {
      const { holder, uuid } = value;
      if (holder !== null && !this.guests.has(keyOf("guest", holder)))
        throw new Error(`slice ${uuid} would be held by guest ${holder}, which is not there`);
    }
    const { generation } = this;
    if (this.#edits.size > 0) {
      const summary = { records: this.#records, generation, digest: `${this.#digest}` };
      this.#edits.set(summaryKey, encodeSummary(summary));
    }
    const edits = [...this.#edits].map(([key, text]) => ({ key, text }));
    return {
      edits,
      undo: edits.map(({ key }) => ({ key, text: this.#textBefore(key) })),
      after: {
        guests: this.guests,
        slices: this.slices,
        records: this.#records,
        generation,
        digest: this.#digest,
        summary: this.#edits.get(summaryKey) ?? this.#before.summary,
      },
    };
  }

  /** A UUID is marked once: before, it was not. */
  #textBefore(key: string): string | null {
    const { guests, slices, summary } = this.#before;
    if (key === summaryKey) return summary ?? null;
    return (guests.get(key) ?? slices.get(key))?.text ?? null;
  }
}

function inOrder<T>(kept: ReadonlyMap<string, Kept<T>>): ReadonlyMap<string, Kept<T>> {
  return new Map([...kept].sort(([, a], [, b]) => a.place - b.place));
}

function used(uuid: string): HostError {
  return new HostError("uuid-used", `a slice has or had the UUID ${uuid}, and no UUID is given out twice.`, {
    details: { slice: uuid },
    remedy: "Choose another one, or leave it to the host.",
  });
}
