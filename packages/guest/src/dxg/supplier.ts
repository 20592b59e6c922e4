/**
 * What a vGPU's function needs before it can be probed: its own channel, and the guest's global channel. Both are devices of the
 * bus; this is the driver of either. The state of a binding says which functions use it, and they are unbound before
 * it goes.
 */

import type { Command, PciDevice, VmbusChannel, VmbusDevice, VmbusDriver } from "parhelion-buses";
import type { Bus, Device, Driver, Named, Runtime, System } from "parhelion-core";

export class Supplier implements Named {
  readonly name: string;
  readonly channel: VmbusChannel;
  readonly #runtime: Runtime;
  readonly #consumers = new Set<PciDevice>();
  #listener: ((command: Command) => void) | null = null;

  constructor(runtime: Runtime, channel: VmbusChannel) {
    this.#runtime = runtime;
    this.channel = channel;
    this.name = `users of channel ${channel.name}`;
  }

  /** Functions that are bound, or being probed, on this. */
  get consumers(): readonly PciDevice[] {
    this.#access("read");
    return [...this.#consumers];
  }

  /** @returns takes it back */
  supply(consumer: PciDevice): () => void {
    this.#access("write");
    this.#consumers.add(consumer);
    return () => {
      this.#access("write");
      this.#consumers.delete(consumer);
    };
  }

  /** One listener at a time: a vGPU's channel has one consumer. */
  listen(listener: ((command: Command) => void) | null): void {
    this.#access("write");
    this.#listener = listener;
  }

  deliver(command: Command): void {
    this.#access("read");
    this.#listener?.(command);
  }

  #access(mode: "read" | "write"): void {
    this.#runtime.scheduler.access(this, mode);
  }
}

/** The suppliers that functions may use now, by their devices. A device's own fields are for who holds its lock. */
export class Suppliers implements Named {
  readonly name = "suppliers of vGPUs";
  readonly #runtime: Runtime;
  readonly #byDevice = new Map<VmbusDevice, Supplier>();

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /** @param root of the connection. @param instance any if not given */
  find(root: Device | null, interfaceType: string, instance?: string): Supplier | null {
    this.#access("read");
    for (const [{ parent, offer, name }, supplier] of this.#byDevice) {
      const named = instance === undefined || name === instance;
      if (parent === root && offer.interfaceType === interfaceType && named) return supplier;
    }
    return null;
  }

  add(device: VmbusDevice, supplier: Supplier): void {
    this.#access("write");
    this.#byDevice.set(device, supplier);
  }

  delete(device: VmbusDevice): void {
    this.#access("write");
    this.#byDevice.delete(device);
  }

  #access(mode: "read" | "write"): void {
    this.#runtime.scheduler.access(this, mode);
  }
}

export interface SupplierInit {
  readonly name: string;
  readonly interfaceType: string;
  /** See ChannelType. */
  readonly channelType: number;
}

/**
 * @param suppliers where functions look for theirs
 * @param consumerDriver the driver to unbind from the functions that use this; asked when a channel goes
 */
export function createSupplierDriver(
  system: System,
  vmbus: Bus<VmbusDevice, VmbusDriver>,
  init: SupplierInit,
  suppliers: Suppliers,
  consumerDriver: () => Driver,
): VmbusDriver<Supplier> {
  return {
    name: init.name,
    bus: vmbus as Bus,
    ids: [{ type: init.interfaceType }],
    async probe(device) {
      const { channel } = device;
      const supplier = new Supplier(system.runtime, channel);
      await channel.open({ channelType: init.channelType, message: (command) => supplier.deliver(command) });
      device.devres.addAction(() => channel.close(), "channel");
      suppliers.add(device, supplier);
      return supplier;
    },
    async remove(device, supplier) {
      suppliers.delete(device);
      const { consumers } = supplier;
      // Their own removal may be under way.
      for (const consumer of consumers) consumer.get();
      for (const consumer of consumers) await unbind(system, consumer, consumerDriver());
    },
  };
}

/**
 * The function then waits, as a deferred one, for a channel in place of the one that goes. Gives a reference to it back, some
 * time later.
 */
async function unbind(system: System, consumer: PciDevice, driver: Driver): Promise<void> {
  const { runtime } = system;
  try {
    await system.detach(consumer, driver);
  } catch (error) {
    // Its probe may just have failed, for the same reason.
    runtime.log("debug", "dxg.consumer-left", { consumer: consumer.name, error });
  }
  // A task of its own: with this channel's lock held nothing that may want it is waited for.
  runtime.scheduler.spawn(`probe ${consumer.name} again`, async () => {
    try {
      await system.probeDevice(consumer);
    } finally {
      consumer.put();
    }
  });
}
