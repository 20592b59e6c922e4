/**
 * Devices that one user has together, since nothing keeps them apart; a device whose IOMMU is emulated is alone in its
 * group. A group is used through its file and a container, or its devices through their own files and an iommufd: never
 * both at once (after drivers/vfio/group.c).
 */
import { KernelError, Mutex, type Named, type Runtime } from "parhelion-core";
import type { Container } from "../container/container.js";
import type { DeviceFile, FileHandle } from "../device/calls.js";
import type { Ioas } from "../iommu/ioas.js";
import type { IommuGroup } from "../iommu/iommu-group.js";
import type { IommufdContext } from "../iommufd/context.js";
import { GroupFlag } from "./calls.js";

export type GroupKind = "real" | "emulated" | "none";

/** A device, as its group sees it. */
export interface GroupedDevice extends Named {
  /** What GET_DEVICE_FD calls it: the name of what its driver is bound to. */
  readonly subject: string;
  /** Opens it for the user of the group's file. @throws KernelError ENODEV it is on its way out, and as its opening */
  openThroughGroup(): Promise<DeviceFile>;
}

/** What holds a group's devices back. */
export type ContainerOrIommufd =
  | { readonly kind: "container"; readonly container: Container }
  | { readonly kind: "iommufd"; readonly iommufd: IommufdContext };

export class VfioGroup implements Named {
  readonly name: string;
  /** What it is called in its class, and its node after "vfio-". */
  readonly number: string;
  readonly kind: GroupKind;
  readonly iommuGroup: IommuGroup;
  /** Taken before a dev_set's. Nobody who holds it waits for a user. */
  readonly mutex: Mutex;
  readonly #runtime: Runtime;
  readonly #devices = new Set<GroupedDevice>();
  #state: "live" | "gone" = "live";
  /** Kept while the file or a device that was opened through it is open. */
  #opened: { readonly file: FileHandle; holds: number } | null = null;
  #iommu: ContainerOrIommufd | null = null;
  /** Devices in use through the container. */
  #users = 0;
  /** Devices that are bound to an iommufd by their own files. */
  #bound = 0;

  constructor(runtime: Runtime, kind: GroupKind, iommuGroup: IommuGroup) {
    this.#runtime = runtime;
    this.number = kind === "none" ? `noiommu-${iommuGroup.id}` : `${iommuGroup.id}`;
    this.name = `vfio group ${this.number}`;
    this.kind = kind;
    this.iommuGroup = iommuGroup;
    this.mutex = new Mutex(runtime, `lock of ${this.name}`);
  }

  get devices(): readonly GroupedDevice[] {
    this.#read();
    return [...this.#devices];
  }

  add(device: GroupedDevice): void {
    this.#write();
    this.#devices.add(device);
  }

  /** Nobody gets this device from here any more. @returns whether none is left */
  remove(device: GroupedDevice): boolean {
    this.#write();
    this.#devices.delete(device);
    return this.#devices.size === 0;
  }

  /** The last device has left. */
  async die(): Promise<void> {
    await this.mutex.withLock(async () => {
      await this.#detach();
      this.#write();
      this.#state = "gone";
    });
  }

  /** @throws KernelError ENODEV no devices, EPERM raw I/O, EBUSY opened already, or a device of it by its own file */
  async open(file: FileHandle, mayRawIo: boolean): Promise<void> {
    await this.mutex.withLock(() => {
      this.#write();
      if (this.#state === "gone" || this.#devices.size === 0) throw this.#gone();
      if (this.kind === "none" && !mayRawIo) {
        throw new KernelError("EPERM", `${this.name} has no IOMMU: it is for who may do raw I/O`);
      }
      if (this.#opened !== null || this.#bound > 0) {
        const by = this.#opened === null ? "a device of it is open by itself" : "it is open";
        throw new KernelError("EBUSY", `${this.name}: ${by}; close that first`);
      }
      this.#opened = { file, holds: 1 };
    });
  }

  /** A device that was opened through the file keeps it: Linux's devices hold their group's file. */
  hold(): void {
    this.#write();
    if (this.#opened !== null) this.#opened.holds += 1;
  }

  /** The file is closed, or a device that was opened through it. Not with the lock held. */
  async drop(): Promise<void> {
    await this.mutex.withLock(async () => {
      this.#write();
      if (this.#opened === null) return;
      this.#opened.holds -= 1;
      if (this.#opened.holds > 0) return;
      await this.#detach();
      this.#opened = null;
    });
  }

  /** @throws KernelError EINVAL argsz, ENODEV gone */
  async status(argsz: number): Promise<{ argsz: number; flags: number }> {
    if (argsz < 8) throw new KernelError("EINVAL", `GET_STATUS: argsz ${argsz} is less than 8`);
    return this.mutex.withLock(() => {
      this.#read();
      if (this.#state === "gone") throw this.#gone();
      const { VIABLE, CONTAINER_SET } = GroupFlag;
      if (this.#iommu !== null) return { argsz: 8, flags: VIABLE | CONTAINER_SET };
      return { argsz: 8, flags: this.iommuGroup.owned ? 0 : VIABLE };
    });
  }

  /**
   * @param lookUp what the file stands for
   * @throws KernelError EBADF no open file, EINVAL it has one already, ENODEV gone, EBADFD a file of something else, EPERM does
   * not mix, EBUSY its devices belong to somebody else; in this order
   */
  async setContainer(
    file: FileHandle | null,
    lookUp: (file: FileHandle) => ContainerOrIommufd,
  ): Promise<void> {
    if (file === null || file.state === "closed") {
      throw new KernelError("EBADF", `SET_CONTAINER of ${this.name}: the file is not open`);
    }
    await this.mutex.withLock(async () => {
      this.#write();
      if (this.#iommu !== null) throw new KernelError("EINVAL", `${this.name} has a container already`);
      if (this.#state === "gone") throw this.#gone();
      const iommu = lookUp(file);
      if (iommu.kind === "iommufd") {
        iommu.iommufd.ensureCompat();
        iommu.iommufd.get();
      } else {
        await this.#join(iommu.container);
      }
      this.#write();
      this.#iommu = iommu;
    });
  }

  /** @throws KernelError EINVAL it has none, EBUSY a device of it is in use */
  async unsetContainer(): Promise<void> {
    await this.mutex.withLock(async () => {
      this.#read();
      if (this.#iommu === null) throw new KernelError("EINVAL", `${this.name} has no container`);
      if (this.#users > 0) {
        throw new KernelError("EBUSY", `${this.name}: ${this.#users} devices of it are in use; close them`);
      }
      await this.#detach();
    });
  }

  /** Precondition: the lock is held. @throws KernelError EINVAL there is no container yet */
  assertContained(): void {
    this.#read();
    if (this.#iommu === null)
      throw new KernelError("EINVAL", `${this.name} has no container: SET_CONTAINER first`);
  }

  /**
   * A device of it is used for the first time. Precondition: the lock is held.
   * @returns what it is attached to @throws KernelError EINVAL no container, or one without an IOMMU; EPERM raw I/O
   */
  use(): Ioas | null {
    this.assertContained();
    const iommu = this.#iommu as ContainerOrIommufd;
    const ioas = iommu.kind === "container" ? iommu.container.ioas : iommu.iommufd.ensureCompat().ioas;
    this.#write();
    this.#users += 1;
    return ioas;
  }

  /** Precondition: the lock is held. */
  unuse(): void {
    this.#write();
    this.#users -= 1;
  }

  /** A device of it is to be used by its own file. @throws KernelError EBUSY the group's is open */
  async block(): Promise<void> {
    await this.mutex.withLock(() => {
      this.#write();
      if (this.#opened !== null) {
        throw new KernelError("EBUSY", `${this.name} is open: use its devices through it, or close it`);
      }
      this.#bound += 1;
    });
  }

  async unblock(): Promise<void> {
    await this.mutex.withLock(() => {
      this.#write();
      this.#bound -= 1;
    });
  }

  async #join(container: Container): Promise<void> {
    if (this.kind === "real") this.iommuGroup.claim(this);
    try {
      await container.attach(this);
    } catch (error) {
      if (this.kind === "real") this.iommuGroup.release();
      throw error;
    }
  }

  async #detach(): Promise<void> {
    this.#write();
    const iommu = this.#iommu;
    this.#iommu = null;
    if (iommu?.kind === "container") {
      await iommu.container.detach(this);
      if (this.kind === "real") this.iommuGroup.release();
    } else {
      iommu?.iommufd.put();
    }
  }

  #gone(): KernelError {
    return new KernelError("ENODEV", `${this.name} has no devices any more`);
  }

  #read(): void {
    this.#runtime.scheduler.access(this, "read");
  }

  #write(): void {
    this.#runtime.scheduler.access(this, "write");
  }
}
