/**
 * Tells suppliers that everybody who depends on them is bound, once per binding. The callback runs in a task of its
 * own under the supplier's lock alone: the kernel calls it under the last consumer's lock as well, which orders locks
 * against the tree when a supplier is the consumer's parent.
 */
import type { Bus } from "./bus.js";
import type { Device } from "./device.js";
import type { DeviceLinks } from "./device-links.js";
import { withDeviceLock } from "./device-lock.js";
import type { Driver } from "./driver.js";
import type { Binding } from "./driver-registration.js";
import { BugError, KernelError } from "./error.js";
import { deadlineOf, noDeadline, type Runtime, type WaitOptions } from "./runtime.js";
import { invoke } from "./sync/call.js";
import type { Named } from "./sync/scheduler.js";
import { WorkQueue } from "./sync/work-queue.js";

export class SyncState implements Named {
  readonly name = "sync state";
  readonly #runtime: Runtime;
  readonly #bindings: ReadonlyMap<Device, Binding>;
  readonly #links: DeviceLinks;
  readonly #queue: WorkQueue;
  readonly #postponed = new Set<Device>();
  #pauses = 0;

  constructor(runtime: Runtime, bindings: ReadonlyMap<Device, Binding>, links: DeviceLinks) {
    this.#runtime = runtime;
    this.#bindings = bindings;
    this.#links = links;
    this.#queue = new WorkQueue(runtime, "sync state");
  }

  /** Until as many `resume`: nobody is told, for who knows that consumers are about to be added. */
  pause(): void {
    this.#runtime.scheduler.access(this, "write");
    this.#pauses += 1;
  }

  /** @throws BugError sync-state-not-paused */
  resume(): void {
    this.#runtime.scheduler.access(this, "write");
    if (this.#pauses === 0)
      throw new BugError("sync-state-not-paused", "sync state is resumed once too often");
    this.#pauses -= 1;
    if (this.#pauses > 0) return;
    const postponed = [...this.#postponed];
    this.#postponed.clear();
    for (const device of postponed) this.consider(device);
  }

  /** Has the device's driver told if it is time: something about its consumers has changed. */
  consider(device: Device): void {
    if (!device.bound) return;
    const binding = this.#bindings.get(device);
    if (binding === undefined || callbackOf(binding) === undefined) return;
    this.#runtime.scheduler.access(this, "write");
    if (this.#pauses > 0) {
      this.#postponed.add(device);
      return;
    }
    if (binding.synced === "yes") return;
    if (this.#links.consumers(device).some((link) => link.managed && link.state !== "active")) return;
    binding.synced = "yes";
    device.get();
    this.#queue.queue({ name: `sync ${device.devpath}`, run: () => this.#tell(device, binding) });
  }

  /** The device's driver goes. */
  forget(device: Device): void {
    this.#runtime.scheduler.access(this, "write");
    this.#postponed.delete(device);
  }

  /** Whether the bound driver has been told, or is being told. False without a driver that wants to be. */
  synced(device: Device): boolean {
    this.#runtime.scheduler.access(this, "read");
    return device.bound && this.#bindings.get(device)?.synced === "yes";
  }

  /** See `System.writeStateSynced`. */
  async write(device: Device, text: string, options?: WaitOptions): Promise<void> {
    const what = `state_synced of ${device.devpath}`;
    if (text !== "1") throw new KernelError("EINVAL", `${what}: write 1, not ${JSON.stringify(text)}`);
    await withDeviceLock(device, "device", deadlineOf(this.#runtime, options), async () => {
      const binding = device.bound ? this.#bindings.get(device) : undefined;
      if (binding === undefined) throw new KernelError("ENODEV", `${what}: no driver is bound`);
      if (callbackOf(binding) === undefined) {
        throw new KernelError("ENOENT", `${what}: ${binding.registration.driver.name} has no sync state`);
      }
      this.#runtime.scheduler.access(this, "write");
      if (binding.synced === "yes") throw new KernelError("EINVAL", `${what}: it was synced before`);
      binding.synced = "yes";
      await this.#call(device, binding);
    });
  }

  /** Waits until those that are due have been told. @throws KernelError ETIMEDOUT */
  flush(options?: WaitOptions): Promise<void> {
    return this.#queue.flush(options);
  }

  async #tell(device: Device, binding: Binding): Promise<void> {
    try {
      await withDeviceLock(device, "device", noDeadline, async () => {
        if (device.bound && this.#bindings.get(device) === binding) await this.#call(device, binding);
      });
    } finally {
      device.put();
    }
  }

  async #call(device: Device, binding: Binding): Promise<void> {
    try {
      await invoke(this.#runtime, "sync-state", device, () => callbackOf(binding)?.());
    } catch (error) {
      const driver = binding.registration.driver.name;
      this.#runtime.log("error", "sync-state.failed", { device: device.devpath, driver, error });
    }
  }
}

function callbackOf({ device, registration }: Binding): (() => void | Promise<void>) | undefined {
  const { driver } = registration;
  const owner: Driver | Bus = driver.bus.syncState === undefined ? driver : driver.bus;
  return owner.syncState === undefined ? undefined : () => owner.syncState?.(device);
}
