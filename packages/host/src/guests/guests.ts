/** The guests of a host: created and removed by the administrator, found by their credentials. */
import { join } from "node:path";
import { invoke, type Named, noDeadline, type System } from "parhelion-core";
import type { AdapterDevice } from "../adapters/adapter-device.js";
import { HostError } from "../host-error.js";
import { type HostLimits, refusalMessage, refusalOf } from "../limits.js";
import type { Secrets } from "../secrets.js";
import { mdevBus, SliceDevice } from "../slices/slice-device.js";
import type { SliceFactory } from "../slices/slice-factory.js";
import { Task } from "../task.js";
import { Guest } from "./guest.js";
import type { RunDirectories } from "./run-directory.js";

/** 256 bits: nobody guesses it, and it fits the credential field. */
const credentialBytes = 32;

export interface GuestsOptions {
  readonly system: System;
  readonly slices: SliceFactory;
  readonly adapter: AdapterDevice;
  readonly stateDirectory: string;
  readonly directories: RunDirectories;
  readonly secrets: Secrets;
  readonly limits: HostLimits;
}

export interface CreatedGuest {
  readonly id: string;
  readonly directory: string;
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

  /** The guest with this credential. All are compared, so that the time does not tell which one is near. */
  byCredential(credential: string): Guest | undefined {
    let found: Guest | undefined;
    for (const guest of this.values()) if (guest.recognises(credential)) found = guest;
    return found;
  }

  /** The slices of a guest with their places in the device tree. */
  slicesOf(guest: Guest): readonly SliceDevice[] {
    return this.#options.system
      .devicesOf(mdevBus)
      .filter((device): device is SliceDevice => device instanceof SliceDevice && device.audience === guest);
  }

  /** @throws HostError limit-reached, host-stopping, and what making its directory throws */
  async create(name: string, slices: number): Promise<CreatedGuest> {
    const { secrets, stateDirectory, limits, system } = this.#options;
    this.#access("write");
    if (this.#state === "closed") throw new HostError("host-stopping", "the host is stopping");
    const id = secrets.hex(4);
    charge(limits, id, "guests", this.#entries.size, 1);
    charge(limits, id, "slicesPerGuest", 0, slices);
    const credential = secrets.hex(credentialBytes);
    const directory = join(stateDirectory, "g", id);
    const guest = new Guest({ runtime: system.runtime, id, name, directory, credential });
    const created = new Task(system.runtime, `making of guest ${id}`, () => this.#make(guest, slices));
    this.#entries.set(id, { guest, created, removed: undefined });
    try {
      await created.wait(unbounded);
    } catch (error) {
      await this.remove(id);
      throw error;
    }
    system.runtime.log("info", "guest.created", { guest: id, name, slices });
    return { id, directory, credential, vmbus: join(stateDirectory, "vmbus.sock") };
  }

  /**
   * Takes the guest's slices away, ends its connection and its engines, and removes its directory. Every step is bounded.
   * @throws HostError guest-unknown
   */
  async remove(id: string): Promise<void> {
    this.#access("read");
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

  /** Removes all guests, side by side, and refuses new ones. */
  async close(): Promise<void> {
    this.refuseNew();
    const removals = [...this.#entries.values()].map((entry) => this.#removal(entry));
    const errors: unknown[] = [];
    for (const removal of removals) {
      try {
        await removal.wait(unbounded);
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw errors[0];
  }

  /** Begins with the first who asks for it. */
  #removal(entry: Entry): Task {
    this.#access("write");
    if (entry.removed === undefined) {
      // At once: no kernel gets in any more.
      entry.guest.leave();
      const { runtime } = this.#options.system;
      entry.removed = new Task(runtime, `removal of guest ${entry.guest.id}`, () => this.#remove(entry));
    }
    return entry.removed;
  }

  async #make(guest: Guest, slices: number): Promise<void> {
    const { system, directories, slices: factory, adapter } = this.#options;
    await invoke(system.runtime, "guest.directory", this, () => directories.make(guest.id));
    for (let i = 0; i < slices; i++) await factory.create(adapter, guest, i);
  }

  async #remove({ guest, created }: Entry): Promise<void> {
    const { system, directories } = this.#options;
    try {
      await created.wait(unbounded);
    } catch {
      // What there is of it goes all the same.
    }
    for (const device of this.slicesOf(guest)) {
      // Nothing in it waits for anybody else; a guest that is half removed could not be removed again.
      await system.unregisterDevice(device, unbounded);
      await device.slice.engine.retire("its slice was removed");
    }
    guest.connection?.close("the guest was removed");
    await invoke(system.runtime, "guest.directory", this, () => directories.remove(guest.directory));
    this.#access("write");
    this.#entries.delete(guest.id);
    system.runtime.log("info", "guest.removed", { guest: guest.id });
  }

  #access(mode: "read" | "write"): void {
    this.#options.system.runtime.scheduler.access(this, mode);
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
