/**
 * VFIO of one system: its devices by class, groups, and the nodes that users come through. There is no other state, so any
 * number of systems have theirs without noticing each other.
 */
import {
  Device,
  type DeviceClass,
  DeviceNode,
  Ida,
  isKernelError,
  KernelError,
  Mutex,
  miscClass,
  type Opener,
  type Runtime,
  type System,
  type WaitOptions,
} from "parhelion-core";
import { Container } from "./container/container.js";
import { ContainerOperations } from "./container/file.js";
import type { FileHandle } from "./device/calls.js";
import { DevSet } from "./device/dev-set.js";
import type { VfioDevice } from "./device/device.js";
import type { VfioHome } from "./device/home.js";
import { GroupOperations } from "./group/file.js";
import { type ContainerOrIommufd, type GroupKind, VfioGroup } from "./group/group.js";
import { type IoasLimits, type IovaRange, lastIova } from "./iommu/ioas.js";
import { IommuGroup } from "./iommu/iommu-group.js";
import { IommufdContext } from "./iommufd/context.js";
import { IommufdOperations } from "./iommufd/file.js";
import { LeaveTaking } from "./leave-taking.js";

export interface VfioOptions {
  /** How long a user is asked to leave before the device is revoked, in ms; default 10 000, Linux's first period. */
  readonly revokeMs?: number;
  /** Of emulated IOMMUs, in bytes, a power of two; default 4096. */
  readonly pageSize?: number;
  /** Mappings of one address space; default 65 535 (dma_entry_limit). */
  readonly dmaEntryLimit?: number;
  /** Which iovas there are; default all of 64 bits. */
  readonly iovaRanges?: readonly IovaRange[];
  /** Whether devices without an IOMMU can be registered; default "refused" (enable_unsafe_noiommu_mode). */
  readonly noIommu?: "refused" | "allowed";
  /** Who may have such devices; default: uid 0 (CAP_SYS_RAWIO). */
  mayRawIo?(opener: Opener): boolean;
}

export interface RegisterOptions extends WaitOptions {
  /**
   * "emulated": the driver does the device's DMA through `VfioDevice.dma`, and the device is alone in a group. An
   * `IommuGroup`: the device shares it with others. "none": nothing holds it back.
   */
  readonly iommu: "emulated" | "none" | IommuGroup;
}

interface Grouped {
  readonly group: VfioGroup;
  readonly device: Device;
}

const maxNumbers = 2 ** 20;

export class Vfio implements VfioHome {
  readonly system: System;
  readonly runtime: Runtime;
  readonly deviceClass: DeviceClass = { name: "vfio-dev" };
  readonly #groupClass: DeviceClass = { name: "vfio" };
  readonly #options: VfioOptions;
  readonly #limits: IoasLimits;
  readonly #devices = new Ida(maxNumbers);
  readonly #iommuGroups = new Ida(maxNumbers);
  readonly #groups = new Map<IommuGroup, Grouped>();
  readonly #devSets = new Map<unknown, DevSet>();
  /** Held while groups come and go. */
  readonly #mutex: Mutex;
  readonly #standsFor = new WeakMap<object, ContainerOrIommufd>();
  readonly #nodes: Device[] = [];
  #endLeaving: () => void = () => {};

  private constructor(system: System, options: VfioOptions) {
    const { pageSize = 4096, dmaEntryLimit = 65_535 } = options;
    if (!(Number.isInteger(pageSize) && pageSize > 0 && (pageSize & (pageSize - 1)) === 0)) {
      throw new KernelError("EINVAL", `VFIO: page size ${pageSize} is no power of two`);
    }
    this.system = system;
    this.runtime = system.runtime;
    this.#options = options;
    this.#limits = {
      pageSize: BigInt(pageSize),
      mappings: dmaEntryLimit,
      ranges: options.iovaRanges ?? [{ start: 0n, last: lastIova }],
    };
    this.#mutex = new Mutex(this.runtime, "vfio groups");
  }

  /** @throws KernelError EEXIST the system has VFIO, EINVAL options */
  static async create(system: System, options: VfioOptions = {}): Promise<Vfio> {
    const vfio = new Vfio(system, options);
    await vfio.#begin();
    return vfio;
  }

  /** @throws KernelError EBUSY there are devices */
  async close(options?: WaitOptions): Promise<void> {
    if (this.system.membersOf(this.deviceClass).length > 0) {
      throw new KernelError("EBUSY", "VFIO has devices; unregister them");
    }
    this.#endLeaving();
    for (const device of this.#nodes.splice(0).reverse()) await this.system.unregisterDevice(device, options);
    await this.system.unregisterClass(this.#groupClass);
    await this.system.unregisterClass(this.deviceClass);
  }

  /** Devices that an IOMMU can't keep apart share one of these. To be given back by `freeIommuGroup`. */
  createIommuGroup(options: { readonly cacheCoherent?: boolean } = {}): IommuGroup {
    return new IommuGroup(this.runtime, this.#take(this.#iommuGroups), options.cacheCoherent ?? true);
  }

  /** @throws KernelError EBUSY devices are registered in it */
  freeIommuGroup(group: IommuGroup): void {
    if (this.#groups.has(group)) throw new KernelError("EBUSY", `${group.name} has devices; unregister them`);
    this.#iommuGroups.free(group.id);
  }

  /**
   * Lets users come. The last thing that a probe does: callbacks may be called before this settles.
   * @throws KernelError EINVAL registered before; an IOMMU group without cache coherency; "none" where that is refused; and
   * as `System.addDevice`. Nothing has changed then, and the device can't be registered again.
   */
  async register(device: VfioDevice, { iommu, ...options }: RegisterOptions): Promise<void> {
    if (iommu === "none" && this.#options.noIommu !== "allowed") {
      throw new KernelError("EINVAL", `${device.name} has no IOMMU group: it can't be given to a user`);
    }
    if (typeof iommu === "object" && !iommu.cacheCoherent) {
      throw new KernelError(
        "EINVAL",
        `${device.name}: ${iommu.name} is not cache-coherent, as VFIO needs it`,
      );
    }
    await this.#join(device, iommu);
    try {
      await this.system.addDevice(device, options);
    } catch (error) {
      await device.leave(this.runtime.clock.now());
      await this.#leave(device);
      throw error;
    }
  }

  /**
   * Refuses new users, asks those that there are to leave, and cuts them off when `revokeMs` have passed, or half of the
   * time that the caller has. Not with a lock held that a user may need. Who comes second does not wait.
   */
  async retire(device: VfioDevice, options: WaitOptions = {}): Promise<void> {
    const now = this.runtime.clock.now();
    const { revokeMs = 10_000 } = this.#options;
    const mine = options.deadline === undefined ? revokeMs : Math.max(0, (options.deadline - now) / 2);
    await device.leave(now + Math.min(revokeMs, mine));
  }

  /**
   * Takes the device from its users and removes it; afterwards no callback is called but `release`. Waits for no user, so a
   * driver's remove may call it: users were given their time by `retire`. The caller keeps its reference.
   * @throws KernelError EINVAL it is not registered
   */
  async unregister(device: VfioDevice): Promise<void> {
    if (device.life === "allocated" || device.life === "unregistered") {
      throw new KernelError("EINVAL", `${device.name} is not registered`);
    }
    await device.leave(this.runtime.clock.now());
    await device.revoke();
    await this.system.removeDevice(device);
    await this.#leave(device);
  }

  takeIndex(): number {
    return this.#take(this.#devices);
  }

  giveIndex(index: number): void {
    this.#devices.free(index);
  }

  joinDevSet(key: unknown, name: string): DevSet {
    this.runtime.scheduler.access(this.#sets, "write");
    const set = this.#devSets.get(key) ?? new DevSet(this.runtime, `dev_set of ${name}`);
    if (key !== undefined) this.#devSets.set(key, set);
    set.join();
    return set;
  }

  leaveDevSet(key: unknown, set: DevSet): void {
    this.runtime.scheduler.access(this.#sets, "write");
    if (set.leave() && this.#devSets.get(key) === set) this.#devSets.delete(key);
  }

  iommufdOf(file: FileHandle): IommufdContext {
    if (file.state === "closed") throw new KernelError("EBADF", `${file.name} is closed`);
    const found = this.#standsFor.get(file);
    if (found?.kind === "iommufd") return found.iommufd;
    throw new KernelError("EBADFD", `${file.name} is no iommufd`);
  }

  get #sets() {
    return { name: "vfio dev_sets" };
  }

  async #begin(): Promise<void> {
    const { system } = this;
    const leaveTaking = new LeaveTaking(this.runtime, (device, deadline) =>
      this.retire(device, { deadline }),
    );
    this.#endLeaving = system.leaving.listen((devices, deadline) => leaveTaking.take(devices, deadline));
    system.registerClass(this.deviceClass);
    system.registerClass(this.#groupClass);
    try {
      system.registerClass(miscClass);
    } catch (error) {
      if (!isKernelError(error, "EEXIST")) throw error;
    }
    await this.#addNode("vfio", 0o666, (file) => this.#openContainer(file));
    await this.#addNode("iommu", 0o666, (file) => this.#openIommufd(file));
  }

  async #addNode<Req, Res>(
    name: string,
    mode: number,
    open: ConstructorParameters<typeof DeviceNode<Req, Res>>[1]["open"],
  ): Promise<void> {
    const node = new DeviceNode<Req, Res>(this.runtime, { name, mode, open });
    const device = new Device(this.runtime, { name, class: miscClass, node: node as unknown as DeviceNode });
    await this.system.addDevice(device);
    this.#nodes.push(device);
  }

  #openContainer(file: FileHandle): ContainerOperations {
    const container = new Container(this.runtime, `container ${file.name}`, {
      limits: this.#limits,
      mayRawIo: this.#mayRawIo(file.opener),
    });
    this.#standsFor.set(file, { kind: "container", container });
    return new ContainerOperations(container);
  }

  #openIommufd(file: FileHandle): IommufdOperations {
    const iommufd = new IommufdContext(this.runtime, `iommufd ${file.name}`, this.#limits);
    this.#standsFor.set(file, { kind: "iommufd", iommufd });
    return new IommufdOperations(iommufd);
  }

  async #openGroup(group: VfioGroup, file: FileHandle): Promise<GroupOperations> {
    await group.open(file, this.#mayRawIo(file.opener));
    return new GroupOperations(group, (given) => {
      const found = this.#standsFor.get(given);
      if (found !== undefined) return found;
      throw new KernelError("EBADFD", `${given.name} is neither a container nor an iommufd`);
    });
  }

  #mayRawIo(opener: Opener): boolean {
    return this.#options.mayRawIo?.(opener) ?? opener.uid === 0;
  }

  /** All that an open needs is there before anything can be seen. */
  async #join(device: VfioDevice, iommu: RegisterOptions["iommu"]): Promise<void> {
    await this.#mutex.withLock(async () => {
      const known = typeof iommu === "object" ? this.#groups.get(iommu) : undefined;
      if (known !== undefined) {
        device.begin(known.group);
        known.group.add(device);
        return;
      }
      const kind: GroupKind = typeof iommu === "object" ? "real" : iommu;
      const iommuGroup = typeof iommu === "object" ? iommu : this.createIommuGroup();
      const group = new VfioGroup(this.runtime, kind, iommuGroup);
      device.begin(group);
      group.add(device);
      const grouped: Grouped = { group, device: this.#groupDevice(group) };
      this.#groups.set(iommuGroup, grouped);
      await this.system.addDevice(grouped.device);
    });
  }

  #groupDevice(group: VfioGroup): Device {
    const node = new DeviceNode(this.runtime, {
      name: `vfio-${group.number}`,
      mode: 0o600,
      open: (file) => this.#openGroup(group, file) as never,
    });
    return new Device(this.runtime, { name: group.number, class: this.#groupClass, node });
  }

  async #leave(device: VfioDevice): Promise<void> {
    const { group } = device;
    await device.finish();
    if (group === null) return;
    await this.#mutex.withLock(async () => {
      if (!group.remove(device)) return;
      const grouped = this.#groups.get(group.iommuGroup);
      this.#groups.delete(group.iommuGroup);
      await group.die();
      if (grouped !== undefined) await this.system.unregisterDevice(grouped.device);
      if (group.kind !== "real") this.#iommuGroups.free(group.iommuGroup.id);
    });
  }

  #take(numbers: Ida): number {
    const number = numbers.allocate();
    if (number === null) throw new KernelError("ENOSPC", `VFIO: all ${maxNumbers} numbers are in use`);
    return number;
  }
}
