/**
 * What the host knows of one slice for as long as it exists: what is kept of it, its place on an adapter while that is there, and
 * whose hands it is in.
 */
import { Completion, Mutex, type Named, noDeadline, type Runtime } from "parhelion-core";
import type { AdapterDevice } from "../adapters/adapter-device.js";
import type { StoredSlice } from "../store/records.js";
import type { HostStore, StoreChange } from "../store/store.js";
import type { SliceDescriptor } from "./descriptor.js";
import type { Slice } from "./slice.js";

export type SliceUse = "projected" | "local" | "vfio";

/** A kept slice, with its descriptor understood. */
export interface SliceRecord extends Omit<StoredSlice, "descriptor"> {
  readonly descriptor: SliceDescriptor;
  /** Of the adapter for which the descriptor was made: on a larger one a half is more. */
  readonly capacityBytes: number;
}

/** Who is about to get it, and which of his slices it will be. */
export interface SliceHeir {
  readonly id: string;
  readonly index: number;
}

/** Where a slice stands in the device tree, from its entry in the adapter's ledger to the last reference to its device. */
export interface SlicePlace {
  readonly entry: SliceEntry;
  readonly adapter: AdapterDevice;
  readonly released: Completion;
}

/**
 * "making": it is being created. "settled": what happens to its binding now is done by hand, in the tree. "changing": somebody who
 * has its lock changes it. "gone": nothing knows it any more.
 */
export type SlicePhase = "making" | "settled" | "changing" | "gone";

export class SliceEntry implements Named {
  readonly name: string;
  readonly uuid: string;
  /** Held by whoever changes it through the registry; never by a driver, which runs under the device's lock. */
  readonly lock: Mutex;
  readonly #runtime: Runtime;
  /** Held from reading the record to having kept another one. Nothing else is waited for meanwhile. */
  readonly #keeping: Mutex;
  #record: SliceRecord;
  #phase: SlicePhase = "making";
  #place: SlicePlace | null = null;
  #slice: Slice | null = null;
  /** Whether the generation was used for a binding. */
  #generation: "fresh" | "spent" = "fresh";
  #heir: SliceHeir | null = null;
  #leaving: string | null = null;

  constructor(runtime: Runtime, record: SliceRecord) {
    this.name = `entry of slice ${record.uuid}`;
    this.uuid = record.uuid;
    this.lock = new Mutex(runtime, `lock of slice ${record.uuid}`);
    this.#keeping = new Mutex(runtime, `keeping of slice ${record.uuid}`);
    this.#runtime = runtime;
    this.#record = record;
  }

  get record(): SliceRecord {
    this.#access("read");
    return this.#record;
  }

  /**
   * Keeps another record of it, which counts from then on.
   * @throws HostError store-failed, uuid-used when it has gone meanwhile: nothing has changed
   */
  async change(
    store: HostStore,
    update: (record: SliceRecord) => SliceRecord,
    also: StoreChange = {},
  ): Promise<void> {
    await this.#keeping.withLock(
      async () => {
        const next = update(this.record);
        await store.change({ ...also, putSlices: [stored(next)] });
        this.#access("write");
        if (next.generation !== this.#record.generation) this.#generation = "fresh";
        this.#record = next;
      },
      { deadline: noDeadline },
    );
  }

  get phase(): SlicePhase {
    this.#access("read");
    return this.#phase;
  }

  set phase(phase: SlicePhase) {
    this.#access("write");
    this.#phase = phase;
  }

  /** Null while its adapter is away, and from when it is about to leave it. */
  get place(): SlicePlace | null {
    this.#access("read");
    return this.#place;
  }

  leavePlace(): void {
    this.#access("write");
    this.#place = null;
  }

  takePlace(adapter: AdapterDevice): SlicePlace {
    this.#access("write");
    const released = new Completion(this.#runtime, `release of slice ${this.uuid} on ${adapter.name}`);
    this.#place = { entry: this, adapter, released };
    return this.#place;
  }

  /** In the hands of its holder; null while nobody uses it. */
  get slice(): Slice | null {
    this.#access("read");
    return this.#slice;
  }

  set slice(slice: Slice | null) {
    this.#access("write");
    this.#slice = slice;
  }

  get generation(): "fresh" | "spent" {
    this.#access("read");
    return this.#generation;
  }

  spendGeneration(): void {
    this.#access("write");
    this.#generation = "spent";
  }

  /** Why whoever has it loses it, in words for him; null while nobody takes it away. */
  get leaving(): string | null {
    this.#access("read");
    return this.#leaving;
  }

  set leaving(why: string | null) {
    this.#access("write");
    this.#leaving = why;
  }

  /** Whom it is being given to: whoever takes him away waits for that. */
  get heir(): SliceHeir | null {
    this.#access("read");
    return this.#heir;
  }

  set heir(heir: SliceHeir | null) {
    this.#access("write");
    this.#heir = heir;
  }

  /** Whether it is this holder's, or about to be. */
  concerns(holder: string): boolean {
    return this.indicesAt(holder).length > 0;
  }

  /** The places among this holder's slices that it has, or is about to have. */
  indicesAt(holder: string): readonly number[] {
    const { record, heir } = this;
    const now = record.holder === holder ? [record.index] : [];
    return heir?.id === holder ? [...now, heir.index] : now;
  }

  #access(mode: "read" | "write"): void {
    this.#runtime.scheduler.access(this, mode);
  }
}

export function stored({ descriptor, capacityBytes, ...record }: SliceRecord): StoredSlice {
  return { ...record, descriptor: { ...descriptor, capacityBytes } };
}
