/**
 * A device as its users see it, beside the one that its driver is bound to: in class `vfio-dev`, with a node of its own
 * and a place in a group. Two counts, never mixed: references say who can still reach it, the registration says who
 * uses it. Users are asked to leave, and cut off when they stay; nobody who holds a lock waits for them.
 */
import {
  type Device as CoreDevice,
  Device,
  DeviceNode,
  invoke,
  isKernelError,
  KernelError,
  type MappedMemory,
  type MapRange,
  noDeadline,
  type OpenFile,
  Registration,
} from "parhelion-core";
import type { GroupedDevice, VfioGroup } from "../group/group.js";
import { DmaAccess } from "../iommu/access.js";
import type { DeviceDma } from "../iommu/dma.js";
import type { IommufdContext } from "../iommufd/context.js";
import { IrqTable } from "../irq/irq-table.js";
import { DmaLog } from "../migration/dma-log.js";
import { Migration } from "../migration/migration.js";
import { RegionPlaces } from "../region/place.js";
import type { Capability } from "../region/region.js";
import { type AnsweredRequest, type AnsweringDevice, answer } from "./answer.js";
import { ask, askShortly } from "./asking.js";
import type { DeviceFile, DeviceReply, DeviceRequest, FileHandle } from "./calls.js";
import type { DevSet } from "./dev-set.js";
import { HandedFile, hand } from "./handed-file.js";
import type { VfioHome } from "./home.js";
import type { VfioDeviceOps } from "./ops.js";
import { type Binding, DeviceUse, type UsedDevice } from "./use.js";

export interface VfioDeviceInit {
  /** What the driver is bound to. */
  readonly parent: CoreDevice;
  /** Called once, by the constructor. */
  ops(device: VfioDevice): VfioDeviceOps;
  /** DeviceFlag: what kind it is. RESET and CAPS follow by themselves. */
  readonly flags?: number;
  /** Told by GET_INFO. */
  readonly capabilities?: readonly Capability[];
  /** Region i is at i shifted left by this in the file; default 40. */
  readonly regionShift?: number;
  /** Devices that give the same are opened and closed one at a time. Default: alone. */
  readonly devSet?: unknown;
}

/** "leaving": users are asked to go, and nobody gets in. "revoked": who stayed is cut off. */
export type VfioDeviceLife = "allocated" | "registered" | "leaving" | "revoked" | "unregistered";

export class VfioDevice extends Device implements AnsweringDevice, UsedDevice, GroupedDevice {
  readonly ops: VfioDeviceOps;
  readonly flags: number;
  readonly capabilities: readonly Capability[];
  readonly regions: RegionPlaces;
  readonly irqs: IrqTable;
  readonly migration: Migration | null;
  readonly dmaLog: DmaLog;
  readonly #home: VfioHome;
  readonly #devSet: DevSet;
  readonly #dma: DmaAccess;
  readonly #uses = new Set<DeviceUse>();
  #users: Registration | null = null;
  #group: VfioGroup | null = null;
  #life: VfioDeviceLife = "allocated";
  #openCount = 0;
  #lastUse = 0;

  /** The caller has its first reference, and registers it with `Vfio.register`. */
  constructor(home: VfioHome, init: VfioDeviceInit) {
    const { runtime } = home;
    const index = home.takeIndex();
    const self: { device: VfioDevice | null } = { device: null };
    const node = new DeviceNode<DeviceRequest, DeviceReply>(runtime, {
      name: `vfio${index}`,
      mode: 0o600,
      open: (file) => (self.device as VfioDevice).#openNode(file),
    });
    super(runtime, {
      name: `vfio${index}`,
      parent: init.parent,
      class: home.deviceClass,
      node: node as unknown as DeviceNode,
      release: () => {
        const { device } = self;
        if (device !== null) device.#released(init.devSet, index);
      },
    });
    self.device = this;
    this.#home = home;
    this.#devSet = home.joinDevSet(init.devSet, this.name);
    this.flags = init.flags ?? 0;
    this.capabilities = init.capabilities ?? [];
    this.#dma = new DmaAccess(runtime, `dma of ${this.name}`, (iova, length) =>
      this.ops.dmaUnmap?.(iova, length),
    );
    this.regions = new RegionPlaces(this.name, init.regionShift ?? 40, () => this.ops.regions());
    this.irqs = new IrqTable(runtime, `interrupts of ${this.name}`, () => this.ops.irqs?.() ?? []);
    this.dmaLog = new DmaLog(this.#dma);
    this.ops = init.ops(this);
    const { migration } = this.ops;
    const parts = [this.#dma, this.irqs];
    this.migration =
      migration === undefined ? null : new Migration(runtime, `migration of ${this.name}`, migration, parts);
  }

  /** Its user's memory. */
  get dma(): DeviceDma {
    return this.#dma;
  }

  get life(): VfioDeviceLife {
    this.runtime.scheduler.access(this.#shared, "read");
    return this.#life;
  }

  /** How many have it open for use. */
  get openCount(): number {
    this.runtime.scheduler.access(this.#shared, "read");
    return this.#openCount;
  }

  /** The group that it was registered in; null before and after. */
  get group(): VfioGroup | null {
    this.runtime.scheduler.access(this.#shared, "read");
    return this.#group;
  }

  get subject(): string {
    return this.parent?.name ?? this.name;
  }

  /** Users can come from here on. Only `Vfio` calls this. @throws KernelError EINVAL it was registered before */
  begin(group: VfioGroup): void {
    this.#write();
    if (this.#life !== "allocated") throw new KernelError("EINVAL", `${this.name} was registered before`);
    this.#life = "registered";
    this.#group = group;
    this.#users = new Registration(this.runtime, `registration of ${this.name}`);
  }

  /**
   * Lets nobody in any more, asks who is in to leave, and cuts off who stays. Not with a lock held that a user may need.
   * Without effect when that has begun. @param deadline until when they may stay, on the runtime's clock
   */
  async leave(deadline: number): Promise<void> {
    this.#write();
    if (this.#life !== "registered" || this.#users === null) return;
    this.#life = "leaving";
    if (deadline <= this.runtime.clock.now()) {
      if (this.#uses.size > 0) await askShortly(this);
      await this.revoke();
      return;
    }
    const request = this.ops.request === undefined ? {} : { request: (count: number) => ask(this, count) };
    try {
      await this.#users.unregister({ deadline, ...request });
    } catch (error) {
      if (!isKernelError(error, "ETIMEDOUT")) throw error;
      await this.revoke();
    }
  }

  /**
   * Ends every use: requests under way fail with ENODEV, mappings are zapped, triggers dropped, and what the driver waits
   * for of the user ends. Waits for the driver, and for no user.
   */
  async revoke(): Promise<void> {
    this.#write();
    if (this.#life === "registered" || this.#life === "leaving") this.#life = "revoked";
    const uses = [...this.#uses];
    if (uses.length > 0)
      this.runtime.log("warn", "vfio.revoked", { device: this.devpath, uses: uses.length });
    this.#disconnect();
    for (const use of uses) use.cut(new KernelError("ENODEV", `${this.name} was taken from its user`));
    for (const use of uses) {
      await use.end();
      if (use.file instanceof HandedFile) await use.file.drop();
    }
  }

  /** Precondition: nobody is let in any more, and who stayed was cut off. Only `Vfio` calls this. */
  async finish(): Promise<void> {
    await this.#users?.unregister({ deadline: noDeadline });
    this.#write();
    this.#life = "unregistered";
    this.#group = null;
  }

  async openThroughGroup(): Promise<DeviceFile> {
    const use = this.#newUse();
    try {
      await use.openContained();
      return await hand(this, use);
    } catch (error) {
      await use.end();
      throw error;
    }
  }

  async openContained(): Promise<Binding> {
    const group = this.#assertGroup();
    const binding: Binding = { kind: "group" };
    await group.mutex.withLock(async () => {
      group.assertContained();
      await this.#devSet.mutex.withLock(() => this.#open(binding, group));
    });
    return binding;
  }

  async bind(iommufd: FileHandle): Promise<Binding> {
    const group = this.#assertGroup();
    await group.block();
    try {
      return await this.#devSet.mutex.withLock(async () => {
        const context = this.#home.iommufdOf(iommufd);
        if (this.openCount > 0) throw new KernelError("EINVAL", `${this.name} is open already`);
        const binding: Binding = { kind: "iommufd", context, devid: context.nextId() };
        // Its file may be closed meanwhile.
        context.get();
        try {
          await this.#open(binding, group);
        } catch (error) {
          context.put();
          throw error;
        }
        return binding;
      });
    } catch (error) {
      await group.unblock();
      throw error;
    }
  }

  async close(binding: Binding): Promise<void> {
    const group = this.#assertGroup();
    if (binding.kind === "iommufd") {
      await this.#devSet.mutex.withLock(() => this.#close(binding, group));
      binding.context.put();
      await group.unblock();
      return;
    }
    const last = await group.mutex.withLock(() =>
      this.#devSet.mutex.withLock(() => this.#close(binding, group)),
    );
    if (last) await group.drop();
  }

  async attach(context: IommufdContext, ptId: number | null): Promise<number> {
    return this.#devSet.mutex.withLock(() => {
      this.#dma.attach(ptId === null ? null : context.find(ptId));
      return ptId ?? 0;
    });
  }

  answer(request: AnsweredRequest): Promise<DeviceReply> {
    return answer(this, request);
  }

  async map(range: MapRange): Promise<MappedMemory> {
    const { index, offset } = this.regions.findMap(range);
    if (this.ops.map === undefined) throw new KernelError("EINVAL", `${this.name} has no memory to map`);
    return invoke(this.runtime, "region.map", this, () => this.#mapped(index, offset, range.length));
  }

  ended(use: DeviceUse): void {
    this.#write();
    this.#uses.delete(use);
    this.#users?.put();
  }

  get #shared() {
    return { name: `use of ${this.name}` };
  }

  #write(): void {
    this.runtime.scheduler.access(this.#shared, "write");
  }

  #mapped(index: number, offset: number, length: number): MappedMemory | Promise<MappedMemory> {
    const memory = this.ops.map?.(index, offset, length);
    if (memory === undefined) throw new KernelError("EINVAL", `${this.name} has no memory to map`);
    return memory;
  }

  #openNode(file: Pick<OpenFile, "revoke">): DeviceUse {
    const use = this.#newUse();
    use.file = file;
    return use;
  }

  #newUse(): DeviceUse {
    this.#write();
    if (this.#life !== "registered" || this.#users?.tryGet() !== true) {
      throw new KernelError("ENODEV", `${this.name} is not registered, or on its way out`);
    }
    this.#lastUse += 1;
    const use = new DeviceUse(this, this.#lastUse);
    this.#uses.add(use);
    return use;
  }

  #assertGroup(): VfioGroup {
    const { group } = this;
    if (group === null) throw new KernelError("ENODEV", `${this.name} is not registered`);
    return group;
  }

  /** Precondition: the dev_set's lock is held, and for a group's binding the group's. */
  async #open(binding: Binding, group: VfioGroup): Promise<void> {
    this.#write();
    if (this.#life === "revoked") throw new KernelError("ENODEV", `${this.name} is being removed`);
    if (this.#openCount > 0) {
      this.#openCount += 1;
      return;
    }
    const ioas = binding.kind === "group" ? group.use() : this.#claim(binding.context, group);
    this.#dma.open();
    this.#dma.attach(ioas);
    this.migration?.open();
    this.#openCount = 1;
    try {
      await invoke(this.runtime, "openDevice", this, () => this.ops.openDevice?.());
    } catch (error) {
      this.#write();
      this.#openCount = 0;
      this.#disconnect();
      this.#unuse(binding, group);
      throw error;
    }
    if (binding.kind === "group") group.hold();
  }

  /** Precondition: as `#open`. @returns whether that was the last */
  async #close(binding: Binding, group: VfioGroup): Promise<boolean> {
    this.#write();
    if (this.#openCount > 1) {
      this.#openCount -= 1;
      return false;
    }
    this.#disconnect();
    await this.migration?.drain();
    try {
      await invoke(this.runtime, "closeDevice", this, () => this.ops.closeDevice?.());
    } catch (error) {
      this.runtime.log("error", "vfio.close-failed", { device: this.devpath, error });
    }
    this.#write();
    this.#openCount = 0;
    this.#unuse(binding, group);
    return true;
  }

  /** Nothing leads to the user any more, and nothing waits for the user. */
  #disconnect(): void {
    this.irqs.clear();
    this.migration?.close();
    this.dmaLog.stop();
    this.#dma.close();
  }

  #claim(context: IommufdContext, group: VfioGroup): null {
    if (group.kind === "real") group.iommuGroup.claim(context);
    return null;
  }

  #unuse(binding: Binding, group: VfioGroup): void {
    if (binding.kind === "group") group.unuse();
    else if (group.kind === "real") group.iommuGroup.release();
  }

  #released(devSet: unknown, index: number): void {
    this.#home.leaveDevSet(devSet, this.#devSet);
    this.ops.release?.();
    this.#home.giveIndex(index);
  }
}
