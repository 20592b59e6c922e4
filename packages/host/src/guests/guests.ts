/** The guests of a host: created and removed by the administrator, found by their credentials, and made again by the next host. */
import { join } from "node:path";
import { invoke, type Named, noDeadline, type Runtime } from "parhelion-core";
import { HostError, messageOf } from "../host-error.js";
import { type HostLimits, refusalMessage, refusalOf } from "../limits.js";
import { hashOf, type Secrets } from "../secrets.js";
import type { SliceWish } from "../slices/descriptor.js";
import type { GuestLifetime, StoredGuest } from "../store/records.js";
import type { HostStore } from "../store/store.js";
import { Task } from "../task.js";
import { Guest } from "./guest.js";
import type { GuestSlices } from "./guest-slices.js";
import type { RunDirectories } from "./run-directory.js";

/** 256 bits: nobody guesses it, and it fits the credential field. */
const credentialBytes = 32;
const idBytes = 4;

export interface GuestsOptions {
  readonly runtime: Runtime;
  readonly store: HostStore;
  readonly slices: GuestSlices;
  readonly stateDirectory: string;
  readonly directories: RunDirectories;
  readonly secrets: Secrets;
  readonly limits: HostLimits;
  /** How long the kernel of a guest whose lifetime is "connected" may be away, in ms. */
  readonly orphanMs: number;
}

export interface GuestWish {
  /** For people. Default: empty. */
  readonly name?: string;
  /** Default "kept". */
  readonly lifetime?: GuestLifetime;
  /** What it holds from the start. Default: one slice with nothing said about it. */
  readonly slices?: readonly SliceWish[];
}

export interface CreatedGuest {
  readonly id: string;
  readonly directory: string;
  /** Told here and never again: what is kept of it is a hash. */
  readonly credential: string;
  /** Path of the socket that its kernel connects to. */
  readonly vmbus: string;
}

interface Entry {
  readonly guest: Guest;
  /** A removal waits for it: what is being made can't be taken apart. */
  readonly created: Task;
  removed: Task | undefined;
}

export class Guests implements Named {
  readonly name = "guests";
  readonly #options: GuestsOptions;
  readonly #entries = new Map<string, Entry>();
  #state: "open" | "closed" = "open";

  constructor(options: GuestsOptions) {
    this.#options = options;
  }

  *values(): IterableIterator<Guest> {
    this.#access("read");
    for (const { guest } of this.#entries.values()) yield guest;
  }

  byId(id: string): Guest | undefined {
    this.#access("read");
    return this.#entries.get(id)?.guest;
  }

  /** The guest with this credential. All are compared, so that the time does not tell which one is near. */
  byCredential(credential: string): Guest | undefined {
    const hash = hashOf(credential);
    let found: Guest | undefined;
    for (const guest of this.values()) if (guest.recognises(hash)) found = guest;
    return found;
  }

  /** Makes the guests again that are kept, without their slices. Once, before anything else. */
  async restore(): Promise<void> {
    for (const record of this.#options.store.guests) {
      const entry = this.#enter(record, async (guest) => {
        await this.#make(guest);
        this.#options.slices.addHolder(guest);
      });
      await entry.created.wait(unbounded);
      entry.guest.awaitKernel();
    }
  }

  /** @throws HostError limit-reached, store-failed, host-stopping, and what making its directory throws */
  async create(wish: GuestWish = {}): Promise<CreatedGuest> {
    const { secrets, stateDirectory, limits, runtime, slices } = this.#options;
    const { name = "", lifetime = "kept", slices: wishes = [{}] } = wish;
    this.#access("write");
    if (this.#state === "closed") throw new HostError("host-stopping", "the host is stopping");
    const id = this.#newId();
    charge(limits, id, "guests", this.#entries.size, 1);
    charge(limits, id, "slicesPerGuest", 0, wishes.length);
    const credential = secrets.hex(credentialBytes);
    const record: StoredGuest = { id, name, credentialHash: hashOf(credential), lifetime };
    const { guest, created } = this.#enter(record, async (guest) => {
      try {
        await this.#make(guest);
        await slices.giveTo(guest, wishes, { putGuests: [record] });
      } catch (error) {
        await this.#discard(guest);
        throw error;
      }
    });
    await created.wait(unbounded);
    guest.awaitKernel();
    runtime.log("info", "guest.created", { guest: id, name, lifetime, slices: wishes.length });
    return { id, directory: guest.directory, credential, vmbus: join(stateDirectory, "vmbus.sock") };
  }

  /**
   * Takes the guest's slices away, ends its connection and its engines, and removes its directory. Every step is bounded.
   * @throws HostError guest-unknown, host-stopping; store-failed: it stays as it was, but for a kernel that was refused in between
   */
  async remove(id: string): Promise<void> {
    this.#access("read");
    // What it does not know any more, the next host does.
    if (this.#state === "closed") throw new HostError("host-stopping", "the host is stopping");
    const entry = this.#entries.get(id);
    if (entry === undefined) {
      throw new HostError("guest-unknown", `there is no guest ${id}`, { details: { guest: id } });
    }
    await this.#removal(entry).wait(unbounded);
  }

  refuseNew(): void {
    this.#access("write");
    this.#state = "closed";
  }

  /**
   * Ends the connections of all guests, which stay in the store, and refuses new guests and kernels. What is under way ends first.
   * Precondition: their slices are gone, or go before anything else does.
   */
  async close(): Promise<void> {
    this.refuseNew();
    for (const entry of [...this.#entries.values()]) {
      for (const task of [entry.created, entry.removed]) {
        try {
          await task?.wait(unbounded);
        } catch {
          // Told to whoever asked for it.
        }
      }
      entry.guest.leave();
      entry.guest.connection?.close("the host stops");
    }
    this.#access("write");
    this.#entries.clear();
  }

  #newId(): string {
    for (;;) {
      const id = this.#options.secrets.hex(idBytes);
      if (!this.#entries.has(id)) return id;
    }
  }

  #enter(record: StoredGuest, make: (guest: Guest) => Promise<void>): Entry {
    const { runtime, stateDirectory, orphanMs } = this.#options;
    const { id } = record;
    const guest = new Guest({
      runtime,
      record,
      directory: join(stateDirectory, "g", id),
      orphans: { orphanMs, orphaned: () => this.#removeOrphan(id) },
    });
    const created = new Task(runtime, `making of guest ${id}`, () => make(guest));
    const entry: Entry = { guest, created, removed: undefined };
    this.#access("write");
    this.#entries.set(id, entry);
    return entry;
  }

  async #make(guest: Guest): Promise<void> {
    const { runtime, directories } = this.#options;
    await invoke(runtime, "guest.directory", this, () => directories.make(guest.id));
  }

  async #removeOrphan(id: string): Promise<void> {
    const { runtime, orphanMs } = this.#options;
    runtime.log("info", "guest.orphaned", { guest: id, afterMs: orphanMs });
    try {
      await this.remove(id);
    } catch (error) {
      // It waits for its kernel again, and is removed when that stays away for as long again.
      runtime.log("warn", "guest.orphan-stays", { guest: id, reason: messageOf(error) });
    }
  }

  /** Begins with the first who asks for it; after one that failed, with the next. */
  #removal(entry: Entry): Task {
    this.#access("write");
    if (entry.removed === undefined) {
      // At once: no kernel gets in any more.
      entry.guest.leave();
      const { runtime } = this.#options;
      entry.removed = new Task(runtime, `removal of guest ${entry.guest.id}`, () => this.#remove(entry));
    }
    return entry.removed;
  }

  async #remove(entry: Entry): Promise<void> {
    const { guest, created } = entry;
    const { runtime } = this.#options;
    try {
      await created.wait(unbounded);
    } catch {
      // What there is of it goes all the same.
    }
    try {
      await this.#takeAway(guest);
    } catch (error) {
      this.#access("write");
      entry.removed = undefined;
      guest.stay();
      throw error;
    }
    runtime.log("info", "guest.removed", { guest: guest.id });
  }

  /** What could not be made as it was wished for goes. */
  async #discard(guest: Guest): Promise<void> {
    guest.leave();
    try {
      await this.#takeAway(guest);
    } catch (error) {
      // It was kept, and that can't be taken back: it is there, as whoever lists the guests sees.
      this.#options.runtime.log("warn", "guest.stays", { guest: guest.id, reason: messageOf(error) });
      guest.stay();
    }
  }

  /** @throws HostError store-failed, host-stopping: nothing has changed */
  async #takeAway(guest: Guest): Promise<void> {
    const { runtime, directories, slices, store } = this.#options;
    const { id } = guest;
    const isKept = store.guests.some((kept) => kept.id === id);
    await slices.takeFrom(guest, isKept ? { removeGuests: [id] } : {}, "the guest was removed");
    guest.connection?.close("the guest was removed");
    try {
      await invoke(runtime, "guest.directory", this, () => directories.remove(guest.directory));
    } catch (error) {
      // The next host clears it away.
      runtime.log("warn", "guest.directory-left", { guest: id, error });
    }
    this.#access("write");
    this.#entries.delete(id);
  }

  #access(mode: "read" | "write"): void {
    this.#options.runtime.scheduler.access(this, mode);
  }
}

/** Waits for what is made of bounded steps. */
const unbounded = { deadline: noDeadline };

function charge(
  limits: HostLimits,
  guest: string,
  rule: keyof HostLimits,
  used: number,
  wanted: number,
): void {
  const refusal = refusalOf(limits, guest, rule, used, wanted);
  if (refusal === undefined) return;
  const { code, ...details } = refusal;
  throw new HostError(code, refusalMessage(refusal), { details });
}
