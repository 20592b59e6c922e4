/**
 * What of a parent's devices lasts as long as somebody can reach them: uuids, instances, and what the parent made for
 * each. All is given back by the last reference, or where making a device failed; the parent's own memory after that.
 */
import {
  type AttributeGroup,
  type Bus,
  type Device,
  invoke,
  KernelError,
  type Named,
  Refcount,
  type Runtime,
} from "parhelion-core";
import { MdevDevice } from "./device.js";
import type { MdevParentInit } from "./parent-init.js";
import type { MdevRequest, MdevType } from "./type.js";
import { typeName, typesDirectory } from "./type-directories.js";
import type { TakenUuids } from "./uuid.js";

export class MdevMemory<S, O> implements Named {
  readonly name: string;
  readonly #device: Device;
  readonly #runtime: Runtime;
  readonly #init: MdevParentInit<S, O>;
  readonly #bus: Bus;
  readonly #uuids: TakenUuids;
  /** One is the registration's, to be put when it has ended, and one each device's. */
  readonly #refs: Refcount;
  #instances = 0;

  constructor(device: Device, init: MdevParentInit<S, O>, bus: Bus, uuids: TakenUuids) {
    this.name = `mdevs of ${device.devpath}`;
    this.#device = device;
    this.#runtime = device.runtime;
    this.#init = init;
    this.#bus = bus;
    this.#uuids = uuids;
    device.get();
    this.#refs = new Refcount(this.#runtime, `memory of ${this.name}`, () => this.#free());
  }

  availableInstances(type: MdevType): number {
    const { available } = this.#init;
    this.#runtime.scheduler.access(this, "read");
    return available.policy === "counter" ? available.instances - this.#instances : available.of(type);
  }

  /** Whether `make` may be called, which must be in the same step. @throws KernelError EEXIST, EUSERS */
  check(uuid: string): void {
    const { available } = this.#init;
    this.#runtime.scheduler.access(this, "read");
    if (this.#uuids.has(uuid)) throw new KernelError("EEXIST", `there is an mdev ${uuid}; give another uuid`);
    if (available.policy !== "counter" || this.#instances < available.instances) return;
    throw new KernelError(
      "EUSERS",
      `create mdev ${uuid}: all ${available.instances} instances of ${this.#device.devpath} are taken; remove one`,
    );
  }

  /**
   * Takes uuid and instance, has the parent make what it keeps for the device, and makes that. Nothing is left when it
   * fails. @returns the device with the creator's reference @throws what the parent's `create` throws
   */
  async make(request: MdevRequest<O>): Promise<MdevDevice<S>> {
    const { uuid, type } = request;
    const { groups = [] } = this.#init;
    this.#take(uuid);
    let made: { readonly state: S } | null = null;
    try {
      const state = await invoke(this.#runtime, "mdev.create", this, () => this.#init.create(request));
      made = { state };
      return new MdevDevice(this.#runtime, {
        uuid,
        type,
        typePath: `${this.#device.devpath}/${typesDirectory}/${typeName(this.#init.driverName, type)}`,
        uses: this.#init.uses,
        state,
        parent: this.#device,
        bus: this.#bus,
        groups: groups as readonly AttributeGroup[],
        release: () => this.#release(state, request),
      });
    } catch (error) {
      if (made === null) this.#giveBack(uuid);
      else this.#release(made.state, request);
      throw error;
    }
  }

  /** Ends the registration's hold. */
  put(): void {
    this.#refs.put();
  }

  #take(uuid: string): void {
    this.#runtime.scheduler.access(this, "write");
    this.#uuids.take(uuid);
    this.#instances += 1;
    this.#refs.get();
  }

  #giveBack(uuid: string): void {
    this.#runtime.scheduler.access(this, "write");
    this.#uuids.give(uuid);
    this.#instances -= 1;
    this.#refs.put();
  }

  #release(state: S, request: MdevRequest<O>): void {
    try {
      this.#init.release?.(state, request);
    } catch (error) {
      this.#runtime.log("error", "mdev.release-failed", { of: this.name, uuid: request.uuid, error });
    }
    this.#giveBack(request.uuid);
  }

  #free(): void {
    try {
      this.#init.free?.();
    } catch (error) {
      this.#runtime.log("error", "mdev.free-failed", { of: this.name, error });
    }
    this.#device.put();
  }
}
