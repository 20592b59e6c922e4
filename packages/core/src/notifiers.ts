/** Who is told what happens on a bus, in the step in which it happens (Linux: bus_register_notifier). */
import type { Bus } from "./bus.js";
import type { Device } from "./device.js";
import type { Runtime } from "./runtime.js";
import type { Named } from "./sync/scheduler.js";

/**
 * In the order of a device's life: added, before its uevent; binding, before the probe; bound, before the uevent, or
 * not bound; unbinding, before remove; unbound, before the uevent; about to be removed; removed, before the uevent.
 */
export type BusEvent =
  | "add-device"
  | "bind-driver"
  | "bound-driver"
  | "driver-not-bound"
  | "unbind-driver"
  | "unbound-driver"
  | "del-device"
  | "removed-device";

/** Called with locks held or not: it must not wait, and a throw is logged as `notifier.failed`. */
export type BusNotifier = (event: BusEvent, device: Device) => void;

export class Notifiers implements Named {
  readonly name = "notifiers";
  readonly #runtime: Runtime;
  readonly #notifiers = new Map<Bus, Set<BusNotifier>>();

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /** @returns a function that ends it */
  add(bus: Bus, notifier: BusNotifier): () => void {
    this.#runtime.scheduler.access(this, "write");
    const notifiers = this.#notifiers.get(bus) ?? new Set();
    this.#notifiers.set(bus, notifiers);
    // Wrapped so that the same function given twice is told twice.
    const subscription: BusNotifier = (event, device) => notifier(event, device);
    notifiers.add(subscription);
    return () => {
      this.#runtime.scheduler.access(this, "write");
      notifiers.delete(subscription);
      if (notifiers.size === 0 && this.#notifiers.get(bus) === notifiers) this.#notifiers.delete(bus);
    };
  }

  tell(event: BusEvent, device: Device): void {
    this.#runtime.scheduler.access(this, "read");
    const notifiers = device.bus === null ? undefined : this.#notifiers.get(device.bus);
    if (notifiers === undefined) return;
    for (const notifier of [...notifiers]) {
      try {
        notifier(event, device);
      } catch (error) {
        this.#runtime.log("error", "notifier.failed", { event, device: device.devpath, error });
      }
    }
  }
}
