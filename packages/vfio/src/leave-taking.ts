/**
 * Devices are about to go: the users of all VFIO devices below them are asked to let go, at once and while nobody holds a
 * lock. What goes because something above it goes comes here with that one's lock held: its users have had their time by
 * then, or came too late for one, and are not waited for.
 */
import { Completion, type Device, type Named, noDeadline, type Runtime } from "parhelion-core";
import { VfioDevice } from "./device/device.js";

/** See `Vfio.retire`. */
export type Retire = (device: VfioDevice, deadline: number) => Promise<void>;

export class LeaveTaking implements Named {
  readonly name = "vfio leave-takings";
  readonly #runtime: Runtime;
  readonly #retire: Retire;
  /** Those that are on their way, by how many who take them. */
  readonly #going = new Map<Device, number>();

  constructor(runtime: Runtime, retire: Retire) {
    this.#runtime = runtime;
    this.#retire = retire;
  }

  /** @returns to be called when they have gone, or stay after all */
  async take(devices: readonly Device[], deadline: number): Promise<() => void> {
    this.#runtime.scheduler.access(this, "write");
    const tops = devices.filter((device) => !this.#isGoing(device));
    for (const device of devices) this.#count(device, 1);
    const leaving = tops.flatMap(below).map((device) => this.#begin(device, deadline));
    for (const left of leaving) await left.wait({ deadline: noDeadline });
    return () => {
      this.#runtime.scheduler.access(this, "write");
      for (const device of devices) this.#count(device, -1);
    };
  }

  #begin(device: VfioDevice, deadline: number): Completion {
    const left = new Completion(this.#runtime, `leave of ${device.name}`);
    device.get();
    this.#runtime.scheduler.spawn(left.name, async () => {
      try {
        await this.#retire(device, deadline);
      } finally {
        device.put();
        left.completeAll();
      }
    });
    return left;
  }

  #count(device: Device, change: number): void {
    const count = (this.#going.get(device) ?? 0) + change;
    if (count === 0) this.#going.delete(device);
    else this.#going.set(device, count);
  }

  #isGoing(device: Device): boolean {
    for (let at: Device | null = device; at !== null; at = at.parent) {
      if (this.#going.has(at)) return true;
    }
    return false;
  }
}

/** However many others there are elsewhere: the way leads down. */
function below(top: Device): VfioDevice[] {
  return [...top.children].flatMap((child) => (child instanceof VfioDevice ? [child] : below(child)));
}
