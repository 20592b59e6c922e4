/** How slices are changed: their limits, whose they are, and what adapter they are of. Each with the slice's lock held. */
import { noDeadline } from "parhelion-core";
import type { AdapterDevice } from "../adapters/adapter-device.js";
import { messageOf } from "../host-error.js";
import { tell } from "../observe/event-list.js";
import { changeDescriptor, type SliceWish, transferDescriptor } from "./descriptor.js";
import type { SliceBook } from "./slice-book.js";
import type { SliceEntry } from "./slice-entry.js";
import { adapterGone } from "./slice-errors.js";
import type { SliceMaking } from "./slice-making.js";

export class SliceMoving {
  readonly #book: SliceBook;
  readonly #making: SliceMaking;

  constructor(book: SliceBook, making: SliceMaking) {
    this.#book = book;
    this.#making = making;
  }

  async resize(entry: SliceEntry, changes: SliceWish): Promise<void> {
    const { uuid } = entry;
    const { place, record } = entry;
    if (place === null) throw adapterGone(record.adapter);
    const { ledger } = place.adapter;
    const descriptor = changeDescriptor(record.descriptor, changes, ledger.capacity.memoryBytes);
    ledger.prepare(uuid, descriptor);
    try {
      await entry.change(this.#book.store, (before) => ({ ...before, descriptor }));
    } catch (error) {
      ledger.settle(uuid);
      throw error;
    }
    ledger.settle(uuid, descriptor);
    entry.slice?.agree({ descriptor, grantBytes: ledger.grantOf(uuid) });
    tell(this.#book.runtime, "slice.resized", { slice: uuid, descriptor });
  }

  async toHolder(entry: SliceEntry, holder: string | null): Promise<void> {
    const { store } = this.#book;
    const index = holder === null ? 0 : this.#book.indexFor(holder);
    entry.leaving = `the host's administrator gave slice ${entry.uuid} to somebody else`;
    entry.heir = holder === null ? null : { id: holder, index };
    try {
      await entry.change(store, (before) => ({
        ...before,
        holder,
        index,
        use: "projected",
        generation: store.nextGeneration(),
      }));
      if (entry.place !== null) await this.#making.adapters.rebind(entry.place, "projected");
    } finally {
      entry.heir = null;
    }
    tell(this.#book.runtime, "slice.moved", {
      slice: entry.uuid,
      holder: holder ?? undefined,
      generation: entry.record.generation,
    });
  }

  async toAdapter(entry: SliceEntry, adapter: AdapterDevice, holder: string | null): Promise<void> {
    const { store } = this.#book;
    const { record, place: old, uuid } = entry;
    const { ledger } = adapter;
    const capacityBytes = ledger.capacity.memoryBytes;
    const descriptor = transferDescriptor(record.descriptor, record.capacityBytes, capacityBytes);
    const index = holder === null ? 0 : holder === record.holder ? record.index : this.#book.indexFor(holder);
    ledger.enter(uuid, descriptor);
    entry.leaving = `the host's administrator moved slice ${uuid} to ${adapter.name}`;
    entry.heir = holder === null ? null : { id: holder, index };
    try {
      await entry.change(store, (before) => ({
        ...before,
        adapter: adapter.name,
        descriptor,
        capacityBytes,
        holder,
        index,
        generation: store.nextGeneration(),
      }));
      await this.#making.disappear(entry);
      old?.adapter.ledger.leave(uuid);
      const place = entry.takePlace(adapter);
      await old?.released.wait();
      await this.#making.appear(entry, place);
    } catch (error) {
      if (entry.place?.adapter === adapter) entry.leavePlace();
      ledger.leave(uuid);
      throw error;
    } finally {
      entry.heir = null;
    }
    tell(this.#book.runtime, "slice.moved", {
      slice: uuid,
      adapter: adapter.name,
      generation: entry.record.generation,
    });
  }

  /** Precondition: its lock is not held. */
  async comeBack(entry: SliceEntry, adapter: AdapterDevice): Promise<void> {
    await entry.lock.withLock(
      async () => {
        const { record } = entry;
        if (entry.phase !== "settled" || entry.place !== null || record.adapter !== adapter.name) return;
        const { ledger } = adapter;
        try {
          const capacityBytes = ledger.capacity.memoryBytes;
          const descriptor = transferDescriptor(record.descriptor, record.capacityBytes, capacityBytes);
          ledger.enter(entry.uuid, descriptor);
          const place = entry.takePlace(adapter);
          if (capacityBytes !== record.capacityBytes)
            await entry.change(this.#book.store, (before) => ({ ...before, descriptor, capacityBytes }));
          await this.#making.appear(entry, place);
        } catch (error) {
          entry.leavePlace();
          ledger.leave(entry.uuid);
          this.#book.runtime.log("warn", "slice.not-back", {
            slice: entry.uuid,
            adapter: adapter.name,
            reason: messageOf(error),
          });
        }
      },
      { deadline: noDeadline },
    );
  }
}
