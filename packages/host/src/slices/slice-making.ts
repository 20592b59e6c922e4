/** How slices come to be and cease to be: by command, by hand in the tree, and with whoever holds them. */
import type { MdevBus, MdevRequest } from "parhelion-buses";
import { type Guard, noDeadline } from "parhelion-core";
import type { AdapterDevice } from "../adapters/adapter-device.js";
import { HostError } from "../host-error.js";
import { tell } from "../observe/event-list.js";
import type { StoreChange } from "../store/store.js";
import { describeSlice } from "./descriptor.js";
import { SliceAdapters } from "./slice-adapters.js";
import type { SliceBook } from "./slice-book.js";
import { SliceEntry, type SlicePlace, stored } from "./slice-entry.js";
import { adapterGone, asHostError, asKernelError } from "./slice-errors.js";
import type { SliceRequest } from "./slice-request.js";

interface Making {
  readonly entry: SliceEntry;
  readonly place: SlicePlace;
  readonly lock: Guard | null;
}

export class SliceMaking {
  readonly adapters: SliceAdapters;
  readonly #book: SliceBook;

  constructor(book: SliceBook, mdev: MdevBus) {
    this.#book = book;
    this.adapters = new SliceAdapters(mdev, {
      make: (adapter, request) => this.#makeByHand(adapter, request),
      remove: (place) => this.#removeByHand(place),
      released: ({ released }) => released.completeAll(),
    });
  }

  /** All or none. @throws as `SliceRegistry.create` */
  async create(requests: readonly SliceRequest[], also: StoreChange): Promise<readonly SliceEntry[]> {
    const made: Making[] = [];
    try {
      for (const request of requests) made.push(this.#enter(request, "locked"));
    } catch (error) {
      for (const making of made) this.#drop(making);
      throw error;
    }
    try {
      await this.#book.store.change({ ...also, putSlices: made.map(({ entry }) => stored(entry.record)) });
    } catch (error) {
      for (const making of made) this.#drop(making);
      throw error;
    }
    try {
      for (const { entry, place } of made) await this.appear(entry, place);
    } catch (error) {
      await this.#undo(made, also);
      throw asHostError(error, made[0]?.entry.uuid ?? "");
    }
    for (const { entry, lock } of made) {
      entry.phase = "settled";
      lock?.release();
      const { adapter, holder, generation } = entry.record;
      tell(this.#book.runtime, "slice.created", {
        slice: entry.uuid,
        generation,
        adapter,
        holder: holder ?? undefined,
      });
    }
    return made.map(({ entry }) => entry);
  }

  /** For a write to a type's `create` in the tree. @throws KernelError */
  async #makeByHand(adapter: AdapterDevice, request: MdevRequest<SlicePlace>): Promise<SlicePlace> {
    const { uuid, type } = request;
    let made: Making;
    try {
      this.#book.assertOpen();
      made = this.#enter({ uuid, wish: { type: type.name as "full" }, use: "projected" }, "free", adapter);
      try {
        await this.#book.store.change({ putSlices: [stored(made.entry.record)] });
      } catch (error) {
        this.#drop(made);
        throw error;
      }
    } catch (error) {
      throw asKernelError(error);
    }
    made.entry.phase = "settled";
    return made.place;
  }

  /** For a write to its `remove` in the tree. @throws KernelError EIO it can't be kept, ENODEV its adapter is going */
  async #removeByHand(place: SlicePlace): Promise<void> {
    const { entry } = place;
    try {
      await this.#book.counted(() =>
        entry.lock.withLock(
          async () => {
            // Somebody else was faster.
            if (entry.phase === "gone") return;
            if (entry.place !== place) throw adapterGone(entry.record.adapter);
            await this.remove(entry, "its device was removed by hand");
          },
          { deadline: noDeadline },
        ),
      );
    } catch (error) {
      throw asKernelError(error);
    }
  }

  /** Precondition: its lock is held. @throws HostError store-failed: nothing has changed */
  async remove(entry: SliceEntry, reason: string): Promise<void> {
    await this.#book.store.change({ removeSlices: [entry.uuid] });
    entry.leaving = `the host's administrator removed slice ${entry.uuid}`;
    await this.tearDown(entry, reason);
  }

  /** Precondition: its lock is held, and its removal is kept. */
  async tearDown(entry: SliceEntry, reason: string): Promise<void> {
    const { place } = entry;
    entry.phase = "changing";
    await this.disappear(entry);
    place?.adapter.ledger.leave(entry.uuid);
    this.#book.strike(entry);
    tell(this.#book.runtime, "slice.removed", { slice: entry.uuid, reason });
  }

  /** Shows it in the tree, in use as its record says. @throws HostError adapter-gone; KernelError as `MdevParent.create` */
  async appear(entry: SliceEntry, place: SlicePlace): Promise<void> {
    const { record } = entry;
    if (entry.place !== place) throw adapterGone(record.adapter);
    await this.adapters.make(place, record);
  }

  /** Its device goes; whoever has it loses it. */
  async disappear(entry: SliceEntry): Promise<void> {
    const { place } = entry;
    entry.leavePlace();
    if (place !== null) await this.adapters.remove(place);
  }

  /** Room for one more is taken in the step in which it is looked for. */
  #enter(request: SliceRequest, lock: "locked" | "free", on?: AdapterDevice): Making {
    const { runtime, store } = this.#book;
    const uuid = request.uuid ?? runtime.ids.uuid();
    const holder = request.holder ?? null;
    const use = request.use === undefined ? "projected" : request.use;
    if (this.#book.find(uuid) !== undefined)
      throw new HostError("uuid-used", `there is a slice ${uuid}; choose another UUID`);
    const index = holder === null ? 0 : this.#book.indexFor(holder);
    const adapter = on ?? this.adapters.choose(uuid, request.wish, request.adapter);
    const { ledger } = adapter;
    const capacityBytes = ledger.capacity.memoryBytes;
    const descriptor = describeSlice(request.wish, capacityBytes);
    ledger.enter(uuid, descriptor);
    const generation = store.nextGeneration();
    const record = { uuid, generation, adapter: adapter.name, descriptor, capacityBytes, use, holder, index };
    const entry = new SliceEntry(runtime, record);
    this.#book.add(entry);
    return { entry, place: entry.takePlace(adapter), lock: lock === "locked" ? entry.lock.tryLock() : null };
  }

  /** The other half of `create`, for what could not appear. */
  async #undo(made: readonly Making[], also: StoreChange): Promise<void> {
    for (const { entry } of made) await this.disappear(entry);
    for (const making of made) this.#drop(making);
    const removeSlices = made.map(({ entry }) => entry.uuid);
    const removeGuests = (also.putGuests ?? []).map(({ id }) => id);
    await this.#book.forget({ removeSlices, removeGuests });
  }

  #drop({ entry, place, lock }: Making): void {
    place.adapter.ledger.leave(entry.uuid);
    entry.leavePlace();
    this.#book.strike(entry);
    lock?.release();
  }
}
