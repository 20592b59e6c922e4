/** Adapters and slices as a host puts them together: the buses, the drivers, what is kept, and the way it all ends. */
import type { MdevBus } from "parhelion-buses";
import { type Bus, type Driver, noDeadline, type System } from "parhelion-core";
import { adapterBus } from "../adapters/adapter-device.js";
import { type AdapterCare, Adapters } from "../adapters/adapters.js";
import type { MachineMemory } from "../adapters/capacity.js";
import type { AdapterWish, ProbedAdapter } from "../adapters/probe.js";
import type { BackOffPolicy } from "../engines/back-off.js";
import type { EngineSpawner } from "../engines/spawn-engine.js";
import type { Guest } from "../guests/guest.js";
import type { HostLimits } from "../limits.js";
import type { Secrets } from "../secrets.js";
import type { HostStore } from "../store/store.js";
import { openVfio, type VfioHouse, type VfioWish } from "../vfio/vfio-house.js";
import { LocalNodes, type LocalNodesOptions, type OpenLocalNode } from "./local-nodes.js";
import { type SliceDriver, sliceDriver } from "./slice-drivers.js";
import { SliceFactory } from "./slice-factory.js";
import { SliceRegistry } from "./slice-registry.js";
import { Tenures } from "./tenures.js";

export interface SliceHouseOptions {
  readonly system: System;
  /** The system's, with nothing on it. */
  readonly mdev: MdevBus;
  readonly store: HostStore;
  readonly spawner: EngineSpawner;
  readonly backOff: BackOffPolicy;
  readonly limits: HostLimits;
  readonly secrets: Secrets;
  readonly machine: MachineMemory;
  /** @throws HostError no-adapter */
  readonly probe: (wish: AdapterWish) => Promise<ProbedAdapter>;
  /** Default: adapters are taken to be healthy. */
  readonly health?: AdapterCare | undefined;
  /** Default: slices can't be used on the host itself. */
  readonly openLocalNode?: OpenLocalNode | undefined;
  readonly localDirectories: LocalNodesOptions["directories"];
  /** Default: slices can't be handed to virtual machine monitors. */
  readonly vfio?: VfioWish | undefined;
  /** Path of the socket that kernels connect to. */
  readonly vmbus: string;
}

const unbounded = { deadline: noDeadline };

export class SliceHouse {
  readonly slices: SliceRegistry;
  readonly adapters: Adapters;
  readonly #system: System;
  readonly #mdev: MdevBus;
  readonly #locals: LocalNodes | null;
  readonly #drivers: SliceDriver[];
  readonly #openVfio: (() => Promise<SliceDriver>) | null;
  #vfio: VfioHouse | null = null;

  constructor(options: SliceHouseOptions) {
    const { system, mdev, store, spawner, backOff, limits, secrets, machine, probe, health } = options;
    const { runtime } = system;
    this.#system = system;
    system.registerBus(adapterBus);
    this.#mdev = mdev;
    this.slices = new SliceRegistry({ runtime, mdev, store, limits });
    const factory = new SliceFactory(runtime, spawner, backOff);
    const tenures = new Tenures({ runtime, store, factory, holderOf: (id) => this.slices.holderOf(id) });
    const { openLocalNode: open, localDirectories: directories, vmbus } = options;
    this.#locals =
      open === undefined ? null : new LocalNodes({ runtime, secrets, tenures, open, vmbus, directories });
    const locals = this.#locals;
    const bus = mdev.bus as Bus;
    this.#drivers = [
      sliceDriver(bus, "projected", tenures, (place) => tenures.project(place)),
      ...(locals === null ? [] : [sliceDriver(bus, "local", tenures, (place) => locals.take(place))]),
    ];
    const { vfio } = options;
    const begin = async (wish: VfioWish): Promise<SliceDriver> => {
      const opened = await openVfio({ ...wish, mdev, limits, secrets, tenures });
      this.#vfio = opened;
      return sliceDriver(bus, "vfio", tenures, (place, device) => opened.slices.take(place, device));
    };
    this.#openVfio = vfio === undefined ? null : () => begin(vfio);
    this.adapters = new Adapters({
      system,
      slices: this.slices,
      machine,
      probe,
      health,
      mostSlices: limits.slicesPerAdapter,
    });
  }

  /** A holder of a slice that is used on the host itself. */
  byCredential(credential: string): Guest | undefined {
    return this.#locals?.byCredential(credential);
  }

  /** Null: slices can't be handed to virtual machine monitors here. */
  get serving(): VfioHouse["serving"] | null {
    return this.#vfio?.serving ?? null;
  }

  /** What is kept is known from here on; it comes back with its adapters. @throws HostError store-failed, store-damaged */
  async open(): Promise<void> {
    if (this.#openVfio !== null) this.#drivers.push(await this.#openVfio());
    for (const driver of this.#drivers) await this.#system.registerDriver(driver as Driver);
    await this.slices.restore();
  }

  /** Takes every slice from whoever has it, and all of this from the tree. What is kept stays kept. */
  async close(): Promise<void> {
    this.slices.refuseNew();
    await this.#vfio?.serving.close();
    await this.adapters.close();
    await this.slices.settle();
    for (const driver of this.#drivers) await this.#system.unregisterDriver(driver as Driver, unbounded);
    await this.#vfio?.close();
    await this.#mdev.unregister(unbounded);
  }
}
