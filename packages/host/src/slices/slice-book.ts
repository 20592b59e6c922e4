/** Which slices and which holders there are, and what is being done with them. */
import { type Named, noDeadline, type Runtime, WaitQueue } from "parhelion-core";
import { HostError, messageOf } from "../host-error.js";
import { type HostLimits, refusalOf } from "../limits.js";
import type { HostStore, StoreChange } from "../store/store.js";
import type { SliceHolder } from "./holder.js";
import { refuseFor } from "./ledger.js";
import type { SliceEntry } from "./slice-entry.js";

export interface SliceBookOptions {
  readonly runtime: Runtime;
  readonly store: HostStore;
  readonly limits: HostLimits;
}

export class SliceBook implements Named {
  readonly name = "slices";
  readonly runtime: Runtime;
  readonly store: HostStore;
  readonly #limits: HostLimits;
  readonly #entries = new Map<string, SliceEntry>();
  readonly #holders = new Map<string, SliceHolder>();
  #underWay = 0;
  readonly #idle: WaitQueue;
  #state: "open" | "closed" = "open";

  constructor({ runtime, store, limits }: SliceBookOptions) {
    this.runtime = runtime;
    this.store = store;
    this.#limits = limits;
    this.#idle = new WaitQueue(runtime, "end of what changes slices");
  }

  get state(): "open" | "closed" {
    this.#access("read");
    return this.#state;
  }

  /** Nothing is made or changed any more. */
  close(): void {
    this.#access("write");
    this.#state = "closed";
  }

  /** In the order in which they were made. */
  values(): readonly SliceEntry[] {
    this.#access("read");
    return [...this.#entries.values()];
  }

  find(uuid: string): SliceEntry | undefined {
    this.#access("read");
    return this.#entries.get(uuid);
  }

  /** @throws HostError slice-unknown */
  get(uuid: string): SliceEntry {
    const entry = this.find(uuid);
    if (entry !== undefined && entry.phase !== "gone") return entry;
    throw new HostError("slice-unknown", `there is no slice ${uuid}.`, {
      details: { slice: uuid },
      remedy: "`parhelion slice ls` lists those that there are.",
    });
  }

  add(entry: SliceEntry): void {
    this.#access("write");
    this.#entries.set(entry.uuid, entry);
  }

  /** Nobody finds it any more. */
  strike(entry: SliceEntry): void {
    entry.phase = "gone";
    this.#access("write");
    this.#entries.delete(entry.uuid);
  }

  holderOf(id: string): SliceHolder | undefined {
    this.#access("read");
    return this.#holders.get(id);
  }

  addHolder(holder: SliceHolder): void {
    this.#access("write");
    this.#holders.set(holder.id, holder);
  }

  strikeHolder(id: string): void {
    this.#access("write");
    this.#holders.delete(id);
  }

  /** The lowest that none of the guest's slices has. @throws HostError guest-unknown, limit-reached */
  indexFor(id: string): number {
    const holder = this.holderOf(id);
    if (holder === undefined || holder.state === "going")
      throw new HostError("guest-unknown", `there is no guest ${id}`, { details: { guest: id } });
    const taken = new Set<number>();
    for (const entry of this.values()) for (const index of entry.indicesAt(id)) taken.add(index);
    refuseFor(refusalOf(this.#limits, id, "slicesPerGuest", taken.size, 1));
    let index = 0;
    while (taken.has(index)) index += 1;
    return index;
  }

  /** @throws HostError host-stopping */
  assertOpen(): void {
    if (this.state === "closed") throw new HostError("host-stopping", "the host is stopping");
  }

  /** The end of the host waits for `work`. */
  async counted<T>(work: () => Promise<T>): Promise<T> {
    const ended = this.begin();
    try {
      return await work();
    } finally {
      ended();
    }
  }

  /** From this step on something is under way. @returns ends it */
  begin(): () => void {
    this.#access("write");
    this.#underWay += 1;
    return () => {
      this.#access("write");
      this.#underWay -= 1;
      this.#idle.wake();
    };
  }

  /** Waits for all that is under way. Precondition: it is closed. */
  async settle(): Promise<void> {
    await this.#idle.wait(() => this.#underWay === 0, { deadline: noDeadline });
  }

  /** Takes out of the store what is gone. Where that fails the next host makes it again. */
  async forget(change: StoreChange): Promise<void> {
    try {
      await this.store.change(change);
    } catch (error) {
      const reason = messageOf(error);
      this.runtime.log("warn", "slice.removal-unkept", { slices: change.removeSlices, reason });
    }
  }

  #access(mode: "read" | "write"): void {
    this.runtime.scheduler.access(this, mode);
  }
}
