/**
 * The links between a system's devices, and what binding and unbinding do to them (drivers/base/core.c,
 * device_links_*). Nothing here waits but a supplier for its consumers.
 */
import type { Device } from "./device.js";
import {
  DeviceLink,
  type LinkFlag,
  type LinkState,
  normalizeFlags,
  stateBehindBound,
} from "./device-link.js";
import { KernelError } from "./error.js";
import { noDeadline, type Runtime } from "./runtime.js";
import type { Named } from "./sync/scheduler.js";
import { WaitQueue } from "./sync/wait-queue.js";

interface Ends {
  readonly suppliers: Set<DeviceLink>;
  readonly consumers: Set<DeviceLink>;
}

export class DeviceLinks implements Named {
  readonly name = "device links";
  readonly #runtime: Runtime;
  /** Only devices that have links. */
  readonly #ends = new Map<Device, Ends>();
  readonly #probed: WaitQueue;
  readonly #autoprobe: (consumer: Device) => void;

  /** @param autoprobe has the consumer probed: its supplier has just been bound */
  constructor(runtime: Runtime, autoprobe: (consumer: Device) => void) {
    this.#runtime = runtime;
    this.#autoprobe = autoprobe;
    this.#probed = new WaitQueue(runtime, "probing consumers");
  }

  /** See `System.addLink`. */
  add(consumer: Device, supplier: Device, wanted: readonly LinkFlag[]): DeviceLink {
    const what = `link ${consumer.devpath} to ${supplier.devpath}`;
    const flags = normalizeFlags(wanted);
    if (!supplier.registered) throw new KernelError("ENODEV", `${what}: the supplier is not registered`);
    if (consumer.registration.state === "dead" || consumer.registration.state === "removed") {
      throw new KernelError("ENODEV", `${what}: the consumer is leaving`);
    }
    if (this.#dependsOn(supplier, consumer)) {
      throw new KernelError("EINVAL", `${what}: the supplier is, or depends on, the consumer`);
    }
    for (const link of this.suppliers(consumer)) {
      if (link.supplier !== supplier) continue;
      if (link.managed === flags.includes("stateless")) {
        throw new KernelError("EINVAL", `${what}: there is one already that is managed differently`);
      }
      this.#uses(consumer, "write");
      link.extend(flags);
      return link;
    }
    const link = new DeviceLink(consumer, supplier, flags);
    consumer.get();
    supplier.get();
    this.#uses(consumer, "write");
    this.#uses(supplier, "write");
    this.#endsOf(consumer).suppliers.add(link);
    this.#endsOf(supplier).consumers.add(link);
    return link;
  }

  /** See `System.removeLink`. */
  remove(link: DeviceLink): void {
    if (link.managed) {
      throw new KernelError(
        "EINVAL",
        `${link.name} is managed: it goes with its devices, or as its flags say`,
      );
    }
    if (this.#ends.get(link.consumer)?.suppliers.has(link) !== true) {
      throw new KernelError("ENODEV", `${link.name} is gone already`);
    }
    this.#uses(link.consumer, "write");
    link.references -= 1;
    if (link.references === 0) this.#delete(link);
  }

  /** The links to what the device depends on, at this moment. */
  suppliers(device: Device): readonly DeviceLink[] {
    this.#uses(device, "read");
    return [...(this.#ends.get(device)?.suppliers ?? [])];
  }

  /** The links from what depends on the device, at this moment. */
  consumers(device: Device): readonly DeviceLink[] {
    this.#uses(device, "read");
    return [...(this.#ends.get(device)?.consumers ?? [])];
  }

  /** Every link once, at this moment. */
  *all(): Generator<DeviceLink> {
    this.#runtime.scheduler.access(this, "read");
    for (const device of this.#ends.keys()) yield* this.suppliers(device);
  }

  /**
   * The device is about to be probed: its suppliers stay bound until the probe has ended.
   * @throws KernelError EPROBE_DEFER one of them is not available; nothing has changed then
   */
  beginProbe(device: Device): void {
    const links = this.suppliers(device).filter((link) => link.managed);
    for (const { state, supplier } of links) {
      if (state !== "available") {
        throw new KernelError("EPROBE_DEFER", `${device.devpath} waits for its supplier ${supplier.devpath}`);
      }
    }
    for (const link of links) link.moveTo("consumer-probe");
  }

  /** @returns the suppliers for which this consumer may have been the last */
  driverBound(device: Device): readonly Device[] {
    for (const link of this.consumers(device)) {
      // One that was made while both were probing says itself how far its consumer is.
      if (!link.managed || link.state !== "dormant") continue;
      link.moveTo(stateBehindBound(link.consumer));
      if (link.flags.has("autoprobe-consumer")) this.#autoprobe(link.consumer);
    }
    const managed = this.suppliers(device).filter((link) => link.managed);
    for (const link of managed) {
      if (link.state === "consumer-probe") this.#ended(link, "active");
    }
    return managed.map((link) => link.supplier);
  }

  /** The device's probe has failed. */
  probeFailed(device: Device): void {
    for (const link of this.consumers(device)) {
      // Made by a consumer that relied on this supplier's success.
      if (link.state === "consumer-probe" || link.state === "active") this.#ended(link, "dormant");
    }
    this.#noDriver(device);
  }

  /** The device's driver has been unbound. */
  unbound(device: Device): void {
    for (const link of this.consumers(device)) {
      if (link.state !== "supplier-unbind") continue;
      link.moveTo("dormant");
      if (link.flags.has("autoremove-supplier")) this.#delete(link);
    }
    this.#noDriver(device);
  }

  /** Whether consumers rely on the device's driver; what does not is kept from being probed from here on. */
  busy(device: Device): boolean {
    for (const link of this.consumers(device)) {
      if (!link.managed) continue;
      if (reliesOnSupplier(link)) return true;
      if (link.state === "available") link.moveTo("supplier-unbind");
    }
    return false;
  }

  /**
   * Waits for consumers that are being probed and unbinds those that are bound. Nobody holds the supplier's lock
   * meanwhile.
   */
  async unbindConsumers(supplier: Device, unbind: (consumer: Device) => Promise<void>): Promise<void> {
    const next = () => this.consumers(supplier).find(reliesOnSupplier);
    for (let link = next(); link !== undefined; link = next()) {
      const { consumer } = link;
      consumer.get();
      try {
        if (link.state === "consumer-probe") {
          const probing = link;
          const ended = () =>
            !(this.consumers(supplier).includes(probing) && probing.state === "consumer-probe");
          await this.#probed.wait(ended, { deadline: noDeadline });
        } else {
          if (link.state === "active") link.moveTo("supplier-unbind");
          await unbind(consumer);
        }
      } finally {
        consumer.put();
      }
    }
  }

  /** The device has been removed: nothing depends on it, nor it on anything, any more. */
  purge(device: Device): void {
    for (const link of [...this.suppliers(device), ...this.consumers(device)]) this.#delete(link);
  }

  #noDriver(device: Device): void {
    for (const link of this.suppliers(device).toReversed()) {
      if (!link.managed) continue;
      const { state } = link;
      if (link.flags.has("autoremove-consumer")) this.#delete(link);
      else if (state === "consumer-probe" || state === "active") {
        this.#ended(link, link.supplier.bound ? "available" : "dormant");
      }
    }
  }

  #ended(link: DeviceLink, state: LinkState): void {
    link.moveTo(state);
    this.#probed.wake();
  }

  #delete(link: DeviceLink): void {
    const { consumer, supplier } = link;
    this.#uses(consumer, "write");
    this.#uses(supplier, "write");
    this.#endsOf(consumer).suppliers.delete(link);
    this.#endsOf(supplier).consumers.delete(link);
    for (const device of [consumer, supplier]) {
      const ends = this.#endsOf(device);
      if (ends.suppliers.size + ends.consumers.size === 0) {
        this.#runtime.scheduler.access(this, "write");
        this.#ends.delete(device);
      }
      device.put();
    }
    this.#probed.wake();
  }

  /** Whether `device` is `other`, or can't do without it: upwards through parents and suppliers. */
  #dependsOn(device: Device, other: Device): boolean {
    const seen = new Set<Device>();
    const open = [device];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      if (next === other) return true;
      if (seen.has(next)) continue;
      seen.add(next);
      if (next.parent !== null) open.push(next.parent);
      open.push(...this.suppliers(next).map(({ supplier }) => supplier));
    }
    return false;
  }

  #endsOf(device: Device): Ends {
    const found = this.#ends.get(device);
    if (found !== undefined) return found;
    const ends: Ends = { suppliers: new Set(), consumers: new Set() };
    this.#runtime.scheduler.access(this, "write");
    this.#ends.set(device, ends);
    return ends;
  }

  #uses(device: Device, mode: "read" | "write"): void {
    this.#runtime.scheduler.access({ name: `links of ${device.devpath}` }, mode);
  }
}

/**
 * Whether the consumer uses what the supplier's driver gives it. One that another release of the supplier is unbinding
 * still does until that is done: the kernel does not look, so there two releases at once can remove the supplier's
 * driver under a consumer.
 */
function reliesOnSupplier({ managed, state, consumer }: DeviceLink): boolean {
  if (!managed) return false;
  if (state !== "supplier-unbind") return state === "consumer-probe" || state === "active";
  const bound = consumer.binding.state;
  return bound === "bound" || bound === "unbinding";
}
