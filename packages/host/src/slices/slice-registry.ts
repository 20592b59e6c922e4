/**
 * The slices of a host. Nobody else makes, changes or removes one, and every change is kept before it is seen. What was made on an
 * adapter that goes stays known, and comes back with the adapter.
 */
import type { MdevBus, MdevRequest } from "parhelion-buses";
import { type Guard, type Named, noDeadline, type System, WaitQueue } from "parhelion-core";
import type { AdapterDevice } from "../adapters/adapter-device.js";
import type { GuestSlices } from "../guests/guest-slices.js";
import { HostError, messageOf } from "../host-error.js";
import { type HostLimits, refusalOf } from "../limits.js";
import { type HostEventFields, type HostEventName, tell } from "../observe/event-list.js";
import type { HostStore, StoreChange } from "../store/store.js";
import { Task } from "../task.js";
import { changeDescriptor, describeSlice, type SliceWish, transferDescriptor } from "./descriptor.js";
import type { SliceHolder } from "./holder.js";
import { refuseFor } from "./ledger.js";
import { SliceAdapters } from "./slice-adapters.js";
import { SliceEntry, type SlicePlace, type SliceRecord, stored } from "./slice-entry.js";
import { asHostError, asKernelError } from "./slice-errors.js";
import type { SliceDestination, SliceRequest } from "./slice-request.js";
import { parseRecord } from "./stored-record.js";

export interface SliceRegistryOptions {
  readonly system: System;
  readonly mdev: MdevBus;
  readonly store: HostStore;
  readonly limits: HostLimits;
}

interface Making {
  readonly entry: SliceEntry;
  readonly place: SlicePlace;
  readonly lock: Guard | null;
}

/** What those who use slices are told when the host stops. */
const stopped = "the host was stopped";

const unbounded = { deadline: noDeadline };

export class SliceRegistry implements GuestSlices, Named {
  readonly name = "slices";
  readonly adapters: SliceAdapters;
  readonly #options: SliceRegistryOptions;
  readonly #entries = new Map<string, SliceEntry>();
  readonly #holders = new Map<string, SliceHolder>();
  /** What changes slices now. */
  #underWay = 0;
  readonly #idle: WaitQueue;
  #state: "open" | "closed" = "open";

  constructor(options: SliceRegistryOptions) {
    this.#options = options;
    this.#idle = new WaitQueue(options.system.runtime, "end of what changes slices");
    this.adapters = new SliceAdapters(options.mdev, {
      make: (adapter, request) => this.#makeByHand(adapter, request),
      released: (place) => this.#released(place),
    });
  }

  /** In the order in which they were made. */
  values(): readonly SliceEntry[] {
    this.#access("read");
    return [...this.#entries.values()];
  }

  /** @throws HostError slice-unknown */
  get(uuid: string): SliceEntry {
    this.#access("read");
    const entry = this.#entries.get(uuid);
    if (entry !== undefined && entry.phase !== "gone") return entry;
    throw new HostError("slice-unknown", `there is no slice ${uuid}.`, {
      details: { slice: uuid },
      remedy: "`parhelion slice ls` lists those that there are.",
    });
  }

  holderOf(id: string): SliceHolder | undefined {
    this.#access("read");
    return this.#holders.get(id);
  }

  /** From now on slices can be given to it. What is kept as its comes to it when its adapter is there. */
  addHolder(holder: SliceHolder): void {
    this.#access("write");
    this.#holders.set(holder.id, holder);
  }

  async giveTo(holder: SliceHolder, wishes: readonly SliceWish[], alongside: StoreChange): Promise<void> {
    this.addHolder(holder);
    try {
      await this.create(
        wishes.map((wish) => ({ wish, holder: holder.id })),
        alongside,
      );
    } catch (error) {
      this.#access("write");
      this.#holders.delete(holder.id);
      throw error;
    }
  }

  heldBy(holder: string): readonly SliceEntry[] {
    return this.values().filter(({ record }) => record.holder === holder);
  }

  /**
   * Makes slices, all or none; `also` is kept together with them.
   * @throws HostError limit-reached, bad-descriptor, adapter-unknown, adapter-gone, guest-unknown, uuid-used, store-failed,
   * host-stopping
   */
  async create(requests: readonly SliceRequest[], also: StoreChange = {}): Promise<readonly SliceEntry[]> {
    this.#assertOpen();
    return this.#counted(() => this.#create(requests, also));
  }

  async #create(requests: readonly SliceRequest[], also: StoreChange): Promise<readonly SliceEntry[]> {
    const made: Making[] = [];
    try {
      for (const request of requests) made.push(this.#enter(request, "locked"));
    } catch (error) {
      for (const making of made) this.#drop(making);
      throw error;
    }
    try {
      await this.#options.store.change({ ...also, putSlices: made.map(({ entry }) => stored(entry.record)) });
    } catch (error) {
      for (const making of made) this.#drop(making);
      throw error;
    }
    try {
      for (const { entry, place } of made) await this.#appear(entry, place);
    } catch (error) {
      await this.#undo(made, also);
      throw asHostError(error, made[0]?.entry.uuid ?? "");
    }
    for (const { entry, lock } of made) {
      entry.phase = "settled";
      lock?.release();
      const { adapter, holder, generation } = entry.record;
      this.#tell("slice.created", { slice: entry.uuid, generation, adapter, holder: holder ?? undefined });
    }
    return made.map(({ entry }) => entry);
  }

  /**
   * Changes limits while the slice is in use.
   * @throws HostError slice-unknown, slice-stale, bad-descriptor, limit-reached, adapter-gone, store-failed
   */
  async resize(uuid: string, changes: SliceWish, generation?: number): Promise<SliceEntry> {
    return this.#changing(uuid, generation, async (entry) => {
      const { place, record } = entry;
      if (place === null) throw adapterGone(record.adapter);
      const { ledger } = place.adapter;
      const descriptor = changeDescriptor(record.descriptor, changes, ledger.capacity.memoryBytes);
      ledger.prepare(uuid, descriptor);
      try {
        await entry.change(this.#options.store, (before) => ({ ...before, descriptor }));
      } catch (error) {
        ledger.settle(uuid);
        throw error;
      }
      ledger.settle(uuid, descriptor);
      entry.slice?.agree({ descriptor, grantBytes: ledger.grantOf(uuid) });
      this.#tell("slice.resized", { slice: uuid, descriptor });
    });
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
        await this.#moveToAdapter(entry, this.adapters.present(to.adapter), holder);
      else if (holder !== record.holder || record.use === "local") await this.#moveToHolder(entry, holder);
    });
  }

  /**
   * Waits for no guest.
   * @throws HostError slice-unknown, slice-stale, store-failed
   */
  async remove(uuid: string, generation?: number): Promise<void> {
    const entry = this.get(uuid);
    await this.#locked(entry, async () => {
      this.#assertCurrent(this.get(uuid), generation);
      await this.#options.store.change({ removeSlices: [uuid] });
      entry.leaving = `the host's administrator removed slice ${uuid}`;
      await this.#tearDown(entry, "it was removed");
    });
  }

  async takeFrom(holder: SliceHolder, alongside: StoreChange, reason: string): Promise<void> {
    await this.#counted(() => this.#takeFrom(holder, alongside, reason));
  }

  async #takeFrom({ id }: SliceHolder, alongside: StoreChange, reason: string): Promise<void> {
    const concerned = this.values().filter((entry) => entry.concerns(id));
    // In one order: of two who do this at once one comes first.
    concerned.sort((a, b) => (a.uuid < b.uuid ? -1 : 1));
    const guards: Guard[] = [];
    try {
      for (const { lock } of concerned) guards.push(await lock.lock(unbounded));
      const held = concerned.filter((entry) => entry.phase !== "gone" && entry.record.holder === id);
      await this.#options.store.change({ ...alongside, removeSlices: held.map(({ uuid }) => uuid) });
      const { runtime } = this.#options.system;
      for (const entry of held) entry.leaving = `${reason} by the host`;
      // Side by side: each waits for its engine.
      const ends = held.map(
        (entry) => new Task(runtime, `end of slice ${entry.uuid}`, () => this.#tearDown(entry, reason)),
      );
      for (const end of ends) await end.wait(unbounded);
      this.#access("write");
      this.#holders.delete(id);
    } finally {
      for (const guard of guards) guard.release();
    }
  }

  /** Precondition: the device is registered. Its slices come back. */
  async adapterCame(adapter: AdapterDevice): Promise<void> {
    this.adapters.offer(adapter);
    for (const entry of this.values())
      if (entry.record.adapter === adapter.name) await this.#comeBack(entry, adapter);
  }

  /** Takes all slices of the adapter away; they stay known. */
  async adapterGoes(adapter: AdapterDevice): Promise<void> {
    const why = this.#state === "closed" ? stopped : `${adapter.name} was removed from the host`;
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
    this.#access("read");
    const entry = this.#entries.get(uuid);
    entry?.slice?.agree({ descriptor: entry.record.descriptor, grantBytes });
  }

  /** What is kept, before any adapter is there. Each slice gets a new generation. @throws HostError store-failed, store-damaged */
  async restore(): Promise<void> {
    const { store, system } = this.#options;
    const records = store.slices.map(
      (kept): SliceRecord => ({ ...parseRecord(kept), generation: store.nextGeneration() }),
    );
    if (records.length > 0) await store.change({ putSlices: records.map(stored) });
    this.#access("write");
    for (const record of records) {
      const entry = new SliceEntry(system.runtime, record);
      entry.phase = "settled";
      this.#entries.set(record.uuid, entry);
    }
  }

  /** Waits for every change that is under way. Precondition: new ones are refused. */
  async settle(): Promise<void> {
    await this.#idle.wait(() => this.#underWay === 0, unbounded);
  }

  /** Nothing is made any more. */
  refuseNew(): void {
    this.#access("write");
    this.#state = "closed";
    for (const entry of this.values()) entry.leaving ??= stopped;
  }

  /** Room for one more is taken in the step in which it is looked for. */
  #enter(request: SliceRequest, lock: "locked" | "free", on?: AdapterDevice): Making {
    const { system, store } = this.#options;
    const { runtime } = system;
    const uuid = request.uuid ?? runtime.ids.uuid();
    const holder = request.holder ?? null;
    const use = request.use === undefined ? "projected" : request.use;
    if (this.#entries.has(uuid))
      throw new HostError("uuid-used", `there is a slice ${uuid}; choose another UUID`);
    const index = holder === null ? 0 : this.#indexFor(holder);
    const adapter = on ?? this.adapters.choose(uuid, request.wish, request.adapter);
    const { ledger } = adapter;
    const capacityBytes = ledger.capacity.memoryBytes;
    const descriptor = describeSlice(request.wish, capacityBytes);
    ledger.enter(uuid, descriptor);
    const generation = store.nextGeneration();
    const record = { uuid, generation, adapter: adapter.name, descriptor, capacityBytes, use, holder, index };
    const entry = new SliceEntry(runtime, record);
    this.#access("write");
    this.#entries.set(uuid, entry);
    return { entry, place: entry.takePlace(adapter), lock: lock === "locked" ? entry.lock.tryLock() : null };
  }

  /** The lowest that none of the guest's slices has. @throws HostError guest-unknown, limit-reached */
  #indexFor(id: string): number {
    const holder = this.holderOf(id);
    if (holder === undefined || holder.state === "going")
      throw new HostError("guest-unknown", `there is no guest ${id}`, { details: { guest: id } });
    const taken = new Set<number>();
    for (const entry of this.values()) if (entry.concerns(id)) taken.add(entry.record.index);
    refuseFor(refusalOf(this.#options.limits, id, "slicesPerGuest", taken.size, 1));
    let index = 0;
    while (taken.has(index)) index += 1;
    return index;
  }

  async #appear(entry: SliceEntry, place: SlicePlace): Promise<void> {
    const { record } = entry;
    if (entry.place !== place) throw adapterGone(record.adapter);
    await this.adapters.make(place, record);
  }

  /** The other half of `create`, for what could not appear. */
  async #undo(made: readonly Making[], also: StoreChange): Promise<void> {
    for (const { entry } of made) await this.#disappear(entry);
    for (const making of made) this.#drop(making);
    const removeSlices = made.map(({ entry }) => entry.uuid);
    const removeGuests = (also.putGuests ?? []).map(({ id }) => id);
    await this.#forget({ removeSlices, removeGuests });
  }

  #drop({ entry, place, lock }: Making): void {
    place.adapter.ledger.leave(entry.uuid);
    entry.leavePlace();
    entry.phase = "gone";
    lock?.release();
    this.#access("write");
    this.#entries.delete(entry.uuid);
  }

  /** Precondition: the lock is held, and the removal is kept. */
  async #tearDown(entry: SliceEntry, reason: string): Promise<void> {
    const { place } = entry;
    entry.phase = "changing";
    await this.#disappear(entry);
    place?.adapter.ledger.leave(entry.uuid);
    entry.phase = "gone";
    this.#access("write");
    this.#entries.delete(entry.uuid);
    this.#tell("slice.removed", { slice: entry.uuid, reason });
  }

  /** Its device goes; whoever has it loses it. @returns where it was */
  async #disappear(entry: SliceEntry): Promise<SlicePlace | null> {
    const { place } = entry;
    entry.leavePlace();
    if (place !== null) await this.adapters.remove(place);
    return place;
  }

  async #moveToHolder(entry: SliceEntry, holder: string | null): Promise<void> {
    const { store } = this.#options;
    const index = holder === null ? 0 : this.#indexFor(holder);
    entry.leaving = `the host's administrator gave slice ${entry.uuid} to somebody else`;
    entry.heir = holder;
    try {
      await entry.change(store, (before) => ({
        ...before,
        holder,
        index,
        use: "projected",
        generation: store.nextGeneration(),
      }));
      if (entry.place !== null) await this.adapters.rebind(entry.place, "projected");
    } finally {
      entry.heir = null;
    }
    this.#tell("slice.moved", {
      slice: entry.uuid,
      holder: holder ?? undefined,
      generation: entry.record.generation,
    });
  }

  async #moveToAdapter(entry: SliceEntry, adapter: AdapterDevice, holder: string | null): Promise<void> {
    const { store } = this.#options;
    const { record, place: old, uuid } = entry;
    const { ledger } = adapter;
    const capacityBytes = ledger.capacity.memoryBytes;
    const descriptor = transferDescriptor(record.descriptor, record.capacityBytes, capacityBytes);
    const index = holder === null ? 0 : holder === record.holder ? record.index : this.#indexFor(holder);
    ledger.enter(uuid, descriptor);
    entry.leaving = `the host's administrator moved slice ${uuid} to ${adapter.name}`;
    entry.heir = holder;
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
      await this.#disappear(entry);
      old?.adapter.ledger.leave(uuid);
      const place = entry.takePlace(adapter);
      await old?.released.wait();
      await this.#appear(entry, place);
    } catch (error) {
      if (entry.place?.adapter === adapter) entry.leavePlace();
      ledger.leave(uuid);
      throw error;
    } finally {
      entry.heir = null;
    }
    this.#tell("slice.moved", { slice: uuid, adapter: adapter.name, generation: entry.record.generation });
  }

  async #comeBack(entry: SliceEntry, adapter: AdapterDevice): Promise<void> {
    await entry.lock.withLock(async () => {
      const { record } = entry;
      if (entry.phase !== "settled" || entry.place !== null || record.adapter !== adapter.name) return;
      const { ledger } = adapter;
      try {
        const capacityBytes = ledger.capacity.memoryBytes;
        const descriptor = transferDescriptor(record.descriptor, record.capacityBytes, capacityBytes);
        ledger.enter(entry.uuid, descriptor);
        const place = entry.takePlace(adapter);
        if (capacityBytes !== record.capacityBytes)
          await entry.change(this.#options.store, (before) => ({ ...before, descriptor, capacityBytes }));
        await this.#appear(entry, place);
      } catch (error) {
        entry.leavePlace();
        ledger.leave(entry.uuid);
        this.#options.system.runtime.log("warn", "slice.not-back", {
          slice: entry.uuid,
          adapter: adapter.name,
          reason: messageOf(error),
        });
      }
    }, unbounded);
  }

  /** Runs `change` with the slice's lock. */
  async #changing(
    uuid: string,
    generation: number | undefined,
    change: (entry: SliceEntry) => Promise<void>,
  ): Promise<SliceEntry> {
    this.#assertOpen();
    const entry = this.get(uuid);
    await this.#locked(entry, async () => {
      this.#assertCurrent(this.get(uuid), generation);
      entry.phase = "changing";
      try {
        await change(entry);
      } catch (error) {
        throw asHostError(error, uuid);
      } finally {
        entry.leaving = null;
        entry.phase = "settled";
        // Somebody has removed its device meanwhile, in the tree.
        if (entry.place?.released.done === true) this.#released(entry.place);
      }
    });
    return entry;
  }

  async #locked(entry: SliceEntry, work: () => Promise<void>): Promise<void> {
    await this.#counted(() => entry.lock.withLock(work, unbounded));
  }

  async #counted<T>(work: () => Promise<T>): Promise<T> {
    this.#access("write");
    this.#underWay += 1;
    try {
      return await work();
    } finally {
      this.#ended();
    }
  }

  #ended(): void {
    this.#access("write");
    this.#underWay -= 1;
    this.#idle.wake();
  }

  /** For a write to a type's `create` in the tree. @throws KernelError */
  async #makeByHand(adapter: AdapterDevice, request: MdevRequest<SlicePlace>): Promise<SlicePlace> {
    const { uuid, type } = request;
    let made: Making;
    try {
      this.#assertOpen();
      made = this.#enter({ uuid, wish: { type: type.name as "full" }, use: "projected" }, "free", adapter);
      try {
        await this.#options.store.change({ putSlices: [stored(made.entry.record)] });
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

  /** The last reference to its device has gone. If nobody here took it away, somebody did it in the tree. */
  #released(place: SlicePlace): void {
    place.released.completeAll();
    const { entry } = place;
    if (entry.place !== place || entry.phase !== "settled") return;
    this.#drop({ entry, place, lock: null });
    this.#tell("slice.removed", { slice: entry.uuid, reason: "its device was removed" });
    // Counted from now on, not from when the task begins.
    this.#underWay += 1;
    this.#options.system.runtime.scheduler.spawn(
      `removal of slice ${entry.uuid} from the store`,
      async () => {
        await this.#forget({ removeSlices: [entry.uuid] });
        this.#ended();
      },
    );
  }

  async #forget(change: StoreChange): Promise<void> {
    try {
      await this.#options.store.change(change);
    } catch (error) {
      // The next host makes them again.
      const reason = messageOf(error);
      this.#options.system.runtime.log("warn", "slice.removal-unkept", {
        slices: change.removeSlices,
        reason,
      });
    }
  }

  #assertCurrent({ uuid, record }: SliceEntry, generation: number | undefined): void {
    if (generation === undefined || generation === record.generation) return;
    throw new HostError(
      "slice-stale",
      `slice ${uuid} has generation ${record.generation}, not ${generation}: its holder or use has changed since.`,
      { details: { slice: uuid, generation: record.generation }, remedy: "Look at it again." },
    );
  }

  #assertOpen(): void {
    this.#access("read");
    if (this.#state === "closed") throw new HostError("host-stopping", "the host is stopping");
  }

  #tell<N extends HostEventName>(event: N, fields: HostEventFields<N>): void {
    tell(this.#options.system.runtime, event, fields);
  }

  #access(mode: "read" | "write"): void {
    this.#options.system.runtime.scheduler.access(this, mode);
  }
}

function adapterGone(adapter: string): HostError {
  return new HostError("adapter-gone", `${adapter} is not there any more.`, {
    details: { adapter },
    remedy: "Add it again, or name another adapter.",
  });
}
