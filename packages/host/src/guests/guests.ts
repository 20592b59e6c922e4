/** The guests of a host: created and removed by the administrator, found by their credentials. */
import { join } from "node:path";
import type { System } from "parhelion-core";
import type { AdapterDevice } from "../adapters/adapter-device.js";
import { HostError } from "../host-error.js";
import { type HostLimits, refusalMessage, refusalOf } from "../limits.js";
import type { Secrets } from "../secrets.js";
import { mdevBus, SliceDevice } from "../slices/slice-device.js";
import type { SliceFactory } from "../slices/slice-factory.js";
import { Guest } from "./guest.js";
import { makeRunDirectory, removeRunDirectory } from "./run-directory.js";

/** 256 bits: nobody guesses it, and it fits the credential field. */
const credentialBytes = 32;

export interface GuestsOptions {
  readonly system: System;
  readonly slices: SliceFactory;
  readonly adapter: AdapterDevice;
  readonly stateDirectory: string;
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
  /** Never rejects. A removal waits for it: what is being made can't be taken apart. */
  readonly created: Promise<unknown>;
  removed: Promise<void> | undefined;
}

export class Guests {
  readonly #options: GuestsOptions;
  readonly #entries = new Map<string, Entry>();
  #state: "open" | "closed" = "open";

  constructor(options: GuestsOptions) {
    this.#options = options;
  }

  *values(): IterableIterator<Guest> {
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
    if (this.#state === "closed") throw new HostError("host-stopping", "the host is stopping");
    const id = secrets.hex(4);
    charge(limits, id, "guests", this.#entries.size, 1);
    charge(limits, id, "slicesPerGuest", 0, slices);
    const credential = secrets.hex(credentialBytes);
    const directory = join(stateDirectory, "g", id);
    const guest = new Guest({ id, name, directory, credential });
    const making = this.#make(guest, slices);
    this.#entries.set(id, { guest, created: making.catch(() => undefined), removed: undefined });
    try {
      await making;
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
  remove(id: string): Promise<void> {
    const entry = this.#entries.get(id);
    if (entry === undefined) {
      return Promise.reject(
        new HostError("guest-unknown", `there is no guest ${id}`, { details: { guest: id } }),
      );
    }
    entry.removed ??= this.#remove(entry);
    return entry.removed;
  }

  refuseNew(): void {
    this.#state = "closed";
  }

  /** Removes all guests, side by side, and refuses new ones. */
  async close(): Promise<void> {
    this.refuseNew();
    await Promise.all([...this.#entries.keys()].map((id) => this.remove(id)));
  }

  async #make(guest: Guest, slices: number): Promise<void> {
    await makeRunDirectory(this.#options.stateDirectory, guest.id);
    for (let i = 0; i < slices; i++) await this.#options.slices.create(this.#options.adapter, guest, i);
  }

  async #remove({ guest, created }: Entry): Promise<void> {
    const { system } = this.#options;
    guest.leave();
    await created;
    for (const device of this.slicesOf(guest)) {
      await system.unregisterDevice(device);
      await device.slice.engine.retire("its slice was removed");
    }
    guest.connection?.close("the guest was removed");
    await removeRunDirectory(guest.directory);
    this.#entries.delete(guest.id);
    system.runtime.log("info", "guest.removed", { guest: guest.id });
  }
}

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
