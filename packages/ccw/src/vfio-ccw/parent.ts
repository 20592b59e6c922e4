/**
 * What a subchannel has while it can be passed through: a device that stands for that, mediated devices of one type, one
 * at most, and the link to what belongs to that one. The link changes under the subchannel's lock, which every callback
 * holds while it follows it: so no callback meets what is not yet complete, or not any more.
 */
import type { ChpEvent, ChpLink, CssCallbacks, Irb, MdevBus, MdevParent, Subchannel } from "parhelion-buses";
import { Device, KernelError, type Named, noDeadline, type System } from "parhelion-core";
import { VFIO_CCW_NAMES } from "./abi.js";
import type { VfioCcwPrivate } from "./private.js";

/** What a mediated device's `state` is. */
export interface VfioCcwShare {
  readonly parent: VfioCcwParent;
}

export class VfioCcwParent implements CssCallbacks, Named {
  readonly name: string;
  readonly subchannel: Subchannel;
  readonly #system: System;
  readonly #device: Device;
  #private: VfioCcwPrivate | null = null;
  #mdevs: MdevParent<VfioCcwShare> | null = null;

  constructor(system: System, subchannel: Subchannel) {
    this.name = `link to what is passed through of ${subchannel.devpath}`;
    this.subchannel = subchannel;
    this.#system = system;
    this.#device = new Device(system.runtime, { name: "parent", parent: subchannel });
  }

  /** @throws KernelError as `MdevBus.registerParent`; nothing is left then */
  async register(mdev: MdevBus): Promise<void> {
    await this.#system.addDevice(this.#device);
    try {
      this.#mdevs = mdev.registerParent<VfioCcwShare>(this.subchannel, {
        driverName: VFIO_CCW_NAMES.driver,
        types: [
          {
            name: VFIO_CCW_NAMES.type,
            deviceApi: VFIO_CCW_NAMES.deviceApi,
            prettyName: VFIO_CCW_NAMES.prettyName,
          },
        ],
        uses: [VFIO_CCW_NAMES.mdevDriver],
        available: { policy: "counter", instances: 1 },
        create: () => ({ parent: this }),
      });
    } catch (error) {
      await this.#system.unregisterDevice(this.#device, { deadline: noDeadline });
      throw error;
    }
  }

  /** Removes the mediated device if there is one. Its interruptions still have to come. */
  async unregister(): Promise<void> {
    await this.#mdevs?.unregister({ deadline: noDeadline });
    await this.#system.unregisterDevice(this.#device, { deadline: noDeadline });
  }

  /** From here on callbacks find it. */
  async publish(owned: VfioCcwPrivate): Promise<void> {
    await this.#set(owned);
  }

  /** When it returns no callback uses it, nor is anything left that one has queued. */
  async withdraw(owned: VfioCcwPrivate): Promise<void> {
    await this.#set(null);
    await owned.retire();
  }

  // What the channel subsystem calls.

  irq(irb: Irb): void | Promise<void> {
    const owned = this.#get();
    if (owned !== null) owned.irq(irb);
    else this.#unwanted();
  }

  chpEvent(link: ChpLink, event: ChpEvent): "done" | "failed" | Promise<"done" | "failed"> {
    return link.mask === 0 ? "done" : (this.#get()?.chpEvent(link, event) ?? "done");
  }

  schEvent(): Promise<"done" | "again"> {
    return this.subchannel.lock.withLock(
      () => {
        const { registered, todo, cio } = this.subchannel;
        if (!registered || todo !== "nothing") return "again";
        if (cio.update() !== "done") this.#get()?.gone();
        return "done";
      },
      { deadline: noDeadline },
    );
  }

  /** The machine stops: whoever has the device open has lost it. */
  async shutdown(): Promise<void> {
    const owned = await this.subchannel.lock.withLock(() => this.#held(), { deadline: noDeadline });
    try {
      await owned?.shutdown();
    } finally {
      owned?.put();
    }
  }

  /** Without a mediated device the subchannel should not be enabled. */
  #unwanted(): void {
    const { name, cio } = this.subchannel;
    this.#system.runtime.log("warn", "vfio-ccw.interruption-of-nobody", { subchannel: name });
    cio.disable();
  }

  async #set(owned: VfioCcwPrivate | null): Promise<void> {
    await this.subchannel.lock.withLock(
      () => {
        this.#system.runtime.scheduler.access(this, "store");
        this.#private = owned;
      },
      { deadline: noDeadline },
    );
  }

  /** With a reference, for who lets go of the lock. */
  #held(): VfioCcwPrivate | null {
    const owned = this.#get();
    owned?.get();
    return owned;
  }

  #get(): VfioCcwPrivate | null {
    this.#system.runtime.scheduler.access(this, "load");
    return this.#private;
  }
}

/** The parent of a mediated device that this driver is asked to take. @throws KernelError ENODEV it is somebody else's */
export function parentOf(state: unknown, uuid: string): VfioCcwParent {
  const parent = (state as Partial<VfioCcwShare> | null | undefined)?.parent;
  if (parent instanceof VfioCcwParent) return parent;
  throw new KernelError("ENODEV", `mdev ${uuid} was not made of a subchannel by ${VFIO_CCW_NAMES.driver}`);
}
