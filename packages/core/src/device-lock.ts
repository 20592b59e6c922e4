/**
 * Holding a device's lock, and its parent's where the bus asks for that. Parents come first. Who holds it can let go in
 * the middle and take it again, as unbinding a supplier must while its consumers are being unbound.
 */
import type { Device } from "./device.js";
import { noDeadline } from "./runtime.js";
import type { Guard } from "./sync/mutex.js";

/** "with parent": also the parent's lock, on a bus that needs it. */
export type Reach = "device" | "with parent";

export class DeviceLock {
  readonly device: Device;
  readonly #parent: Device | null;
  #parentGuard: Guard | null = null;
  #guard: Guard | null = null;

  constructor(device: Device, reach: Reach) {
    this.device = device;
    this.#parent = reach === "with parent" && device.bus?.needParentLock === true ? device.parent : null;
  }

  /** @throws BugError lock-not-held */
  assertHeld(): void {
    const { mutex } = this.device;
    mutex.assertHeld(this.#guard ?? noGuard);
  }

  /** @throws KernelError ETIMEDOUT: nothing is held then */
  async take(deadline: number): Promise<void> {
    if (this.#parent !== null) this.#parentGuard = await this.#parent.mutex.lock({ deadline });
    try {
      this.#guard = await this.device.mutex.lock({ deadline });
    } catch (error) {
      this.drop();
      throw error;
    }
  }

  drop(): void {
    this.#guard?.release();
    this.#guard = null;
    this.#parentGuard?.release();
    this.#parentGuard = null;
  }

  /** After `drop`. Whatever was true of the device before may have changed. */
  retake(): Promise<void> {
    return this.take(noDeadline);
  }
}

/** Runs `fn` with the lock held. @throws KernelError ETIMEDOUT, and what `fn` throws */
export async function withDeviceLock<T>(
  device: Device,
  reach: Reach,
  deadline: number,
  fn: (lock: DeviceLock) => T | Promise<T>,
): Promise<T> {
  const lock = new DeviceLock(device, reach);
  await lock.take(deadline);
  try {
    return await fn(lock);
  } finally {
    lock.drop();
    await device.runtime.scheduler.yield("device.unlocked", device.mutex);
  }
}

const noGuard: Guard = Object.freeze({ release() {}, [Symbol.dispose]() {} });
