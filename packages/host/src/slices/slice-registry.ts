/**
 * The slices of a host. Nobody else makes, changes or removes one, and every change is kept before it is seen. What was made on an
 * adapter that goes stays known, and comes back with the adapter.
 */
import type { MdevBus } from "parhelion-buses";
import { type Guard, noDeadline, type Runtime } from "parhelion-core";
import type { AdapterDevice } from "../adapters/adapter-device.js";
import type { GuestSlices } from "../guests/guest-slices.js";
import { HostError } from "../host-error.js";
import type { HostLimits } from "../limits.js";
import type { HostStore, StoreChange } from "../store/store.js";
import { Task } from "../task.js";
import type { SliceWish } from "./descriptor.js";
import type { SliceHolder } from "./holder.js";
import type { SliceAdapters } from "./slice-adapters.js";
import { SliceBook } from "./slice-book.js";
import { SliceEntry, type SliceRecord, stored } from "./slice-entry.js";
import { asHostError } from "./slice-errors.js";
import { SliceMaking } from "./slice-making.js";
import { SliceMoving } from "./slice-moving.js";
import type { SliceDestination, SliceRequest } from "./slice-request.js";
import { parseRecord } from "./stored-record.js";

export interface SliceRegistryOptions {
  readonly runtime: Runtime;
  readonly mdev: MdevBus;
  readonly store: HostStore;
  readonly limits: HostLimits;
}

/** What those who use slices are told when the host stops. */
const stopped = "the host was stopped";

const unbounded = { deadline: noDeadline };

export class SliceRegistry implements GuestSlices {
  readonly #book: SliceBook;
  readonly #making: SliceMaking;
  readonly #moving: SliceMoving;

  constructor(options: SliceRegistryOptions) {
    this.#book = new SliceBook(options);
    this.#making = new SliceMaking(this.#book, options.mdev);
    this.#moving = new SliceMoving(this.#book, this.#making);
  }

  get adapters(): SliceAdapters {
    return this.#making.adapters;
  }

  /** In the order in which they were made. */
  values(): readonly SliceEntry[] {
    return this.#book.values();
  }

  /** @throws HostError slice-unknown */
  get(uuid: string): SliceEntry {
    return this.#book.get(uuid);
  }

  heldBy(holder: string): readonly SliceEntry[] {
    return this.values().filter(({ record }) => record.holder === holder);
  }

  holderOf(id: string): SliceHolder | undefined {
    return this.#book.holderOf(id);
  }

  /** From now on slices can be given to it. What is kept as its comes to it when its adapter is there. */
  addHolder(holder: SliceHolder): void {
    this.#book.addHolder(holder);
  }

  async giveTo(holder: SliceHolder, wishes: readonly SliceWish[], alongside: StoreChange): Promise<void> {
    this.addHolder(holder);
    try {
      await this.create(
        wishes.map((wish) => ({ wish, holder: holder.id })),
        alongside,
      );
    } catch (error) {
      this.#book.strikeHolder(holder.id);
      throw error;
    }
  }

  async takeFrom(holder: SliceHolder, alongside: StoreChange, reason: string): Promise<void> {
    await this.#book.counted(() => this.#takeFrom(holder, alongside, reason));
  }

  /**
   * Makes slices, all or none; `also` is kept together with them.
   * @throws HostError limit-reached, bad-descriptor, adapter-unknown, adapter-gone, guest-unknown, uuid-used, store-failed,
   * host-stopping
   */
  async create(requests: readonly SliceRequest[], also: StoreChange = {}): Promise<readonly SliceEntry[]> {
    this.#book.assertOpen();
    return this.#book.counted(() => this.#making.create(requests, also));
  }

  /**
   * Changes limits while the slice is in use.
   * @throws HostError slice-unknown, slice-stale, bad-descriptor, limit-reached, adapter-gone, store-failed
   */
  async resize(uuid: string, changes: SliceWish, generation?: number): Promise<SliceEntry> {
    return this.#changing(uuid, generation, (entry) => this.#moving.resize(entry, changes));
  }

  /**
   * Takes the slice away and gives it to somebody else, or makes it anew on another adapter. Who gets it sees nothing of who had
   * it: a fresh engine under a new generation.
   * @throws HostError slice-unknown, slice-stale, guest-unknown, adapter-unknown, adapter-gone, limit-reached, store-failed,
   * slice-busy
   */
  async move(uuid: string, to: SliceDestination, generation?: number): Promise<SliceEntry> {
    return this.#changing(uuid, generation, async (entry) => {
      const { record } = entry;
      const holder = to.holder === undefined ? record.holder : to.holder;
      if (to.adapter !== undefined && to.adapter !== record.adapter)
        await this.#moving.toAdapter(entry, this.adapters.present(to.adapter), holder);
      else if (to.holder !== undefined && (holder !== record.holder || record.use !== "projected"))
        await this.#moving.toHolder(entry, holder);
    });
  }

  /**
   * Waits for no guest.
   * @throws HostError slice-unknown, slice-stale, store-failed
   */
  async remove(uuid: string, generation?: number): Promise<void> {
    const entry = this.get(uuid);
    await this.#locked(entry, async () => {
      assertCurrent(this.get(uuid), generation);
      await this.#making.remove(entry, "it was removed");
    });
  }

  /** Precondition: the device is registered. Its slices come back. */
  async adapterCame(adapter: AdapterDevice): Promise<void> {
    this.adapters.offer(adapter);
    for (const entry of this.values())
      if (entry.record.adapter === adapter.name) await this.#moving.comeBack(entry, adapter);
  }

  /** Takes all slices of the adapter away; they stay known. */
  async adapterGoes(adapter: AdapterDevice): Promise<void> {
    const why = this.#book.state === "closed" ? stopped : `${adapter.name} was removed from the host`;
    const there = this.values().filter(({ place }) => place?.adapter === adapter);
    for (const entry of there) {
      entry.leaving = why;
      entry.leavePlace();
    }
    await this.adapters.withdraw(adapter);
    for (const entry of there) entry.leaving = null;
  }

  /** For an adapter's ledger: the slice may use so much memory from now on. */
  granted(uuid: string, grantBytes: number): void {
    const entry = this.#book.find(uuid);
    entry?.slice?.agree({ descriptor: entry.record.descriptor, grantBytes });
  }

  /** What is kept, before any adapter is there. Each slice gets a new generation. @throws HostError store-failed, store-damaged */
  async restore(): Promise<void> {
    const { store, runtime } = this.#book;
    const records = store.slices.map(
      (kept): SliceRecord => ({ ...parseRecord(kept), generation: store.nextGeneration() }),
    );
    if (records.length > 0) await store.change({ putSlices: records.map(stored) });
    for (const record of records) {
      const entry = new SliceEntry(runtime, record);
      entry.phase = "settled";
      this.#book.add(entry);
    }
  }

  /** Nothing is made or changed any more; what there is can be removed. */
  refuseNew(): void {
    this.#book.close();
    for (const entry of this.values()) entry.leaving ??= stopped;
  }

  /** Waits for every change that is under way. Precondition: new ones are refused. */
  async settle(): Promise<void> {
    await this.#book.settle();
  }

  async #takeFrom({ id }: SliceHolder, alongside: StoreChange, reason: string): Promise<void> {
    const { runtime, store } = this.#book;
    const concerned = this.values().filter((entry) => entry.concerns(id));
    // In one order: of two who do this at once one comes first.
    concerned.sort((a, b) => (a.uuid < b.uuid ? -1 : 1));
    const guards: Guard[] = [];
    try {
      for (const { lock } of concerned) guards.push(await lock.lock(unbounded));
      const held = concerned.filter((entry) => entry.phase !== "gone" && entry.record.holder === id);
      await store.change({ ...alongside, removeSlices: held.map(({ uuid }) => uuid) });
      for (const entry of held) entry.leaving = `${reason} by the host`;
      // Side by side: each waits for its engine.
      const ends = held.map(
        (entry) =>
          new Task(runtime, `end of slice ${entry.uuid}`, () => this.#making.tearDown(entry, reason)),
      );
      for (const end of ends) await end.wait(unbounded);
      this.#book.strikeHolder(id);
    } finally {
      for (const guard of guards) guard.release();
    }
  }

  /** Runs `change` with the slice's lock. */
  async #changing(
    uuid: string,
    generation: number | undefined,
    change: (entry: SliceEntry) => Promise<void>,
  ): Promise<SliceEntry> {
    this.#book.assertOpen();
    const entry = this.get(uuid);
    await this.#locked(entry, async () => {
      assertCurrent(this.get(uuid), generation);
      entry.phase = "changing";
      try {
        await change(entry);
      } catch (error) {
        throw asHostError(error, uuid);
      } finally {
        entry.leaving = null;
        entry.phase = "settled";
      }
    });
    return entry;
  }

  async #locked(entry: SliceEntry, work: () => Promise<void>): Promise<void> {
    await this.#book.counted(() => entry.lock.withLock(work, unbounded));
  }
}

/** @throws HostError slice-stale */
function assertCurrent({ uuid, record }: SliceEntry, generation: number | undefined): void {
  if (generation === undefined || generation === record.generation) return;
  throw new HostError(
    "slice-stale",
    `slice ${uuid} has generation ${record.generation}, not ${generation}: its holder or use has changed since.`,
    { details: { slice: uuid, generation: record.generation }, remedy: "Look at it again." },
  );
}
