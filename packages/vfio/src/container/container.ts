/**
 * What an open /dev/vfio/vfio stands for: groups that share an address space. It lives as long as its file or a group in
 * it, whichever is longer; the address space lives from SET_IOMMU until the last group has left.
 */
import { KernelError, Mutex, type Named, type Runtime } from "parhelion-core";
import { Ioas, type IoasLimits } from "../iommu/ioas.js";
import { type ContainerReply, type ContainerRequest, Extension } from "./calls.js";
import { Type1 } from "./type1.js";
import { isIommuRequest, type1Call } from "./type1-call.js";

/** A group, as its container sees it. */
export interface ContainedGroup extends Named {
  readonly kind: "real" | "emulated" | "none";
}

/** What SET_IOMMU has chosen. */
type Backend = { readonly kind: "type1"; readonly type1: Type1 } | { readonly kind: "no IOMMU" };

export interface ContainerInit {
  readonly limits: IoasLimits;
  /** Whether its user may have devices that no IOMMU holds back. */
  readonly mayRawIo: boolean;
}

const type1Extensions: readonly number[] = [
  Extension.TYPE1,
  Extension.TYPE1v2,
  Extension.DMA_CC,
  Extension.UNMAP_ALL,
];

export class Container implements Named {
  readonly name: string;
  readonly #runtime: Runtime;
  readonly #init: ContainerInit;
  /** Taken after a group's lock. */
  readonly #mutex: Mutex;
  readonly #groups = new Set<ContainedGroup>();
  #backend: Backend | null = null;

  constructor(runtime: Runtime, name: string, init: ContainerInit) {
    this.#runtime = runtime;
    this.name = name;
    this.#init = init;
    this.#mutex = new Mutex(runtime, `groups of ${name}`);
  }

  /** What devices in it are attached to; null: to nothing. @throws KernelError EINVAL there is no IOMMU yet, EPERM */
  get ioas(): Ioas | null {
    this.#runtime.scheduler.access(this, "read");
    if (this.#backend === null)
      throw new KernelError("EINVAL", `${this.name} has no IOMMU yet: SET_IOMMU first`);
    if (this.#backend.kind === "type1") return this.#backend.type1.ioas;
    this.#assertRawIo();
    return null;
  }

  /** @throws KernelError EINVAL what makes no sense at this moment, ENOTTY the backend does not know it, and as each call */
  async request(request: ContainerRequest): Promise<ContainerReply> {
    if (isIommuRequest(request)) return type1Call(this.#type1(request.op), request);
    switch (request.op) {
      case "GET_API_VERSION":
        return 0;
      case "CHECK_EXTENSION":
        return this.#mutex.withLock(() => this.#has(request.extension));
      case "SET_IOMMU":
        await this.#setIommu(request.type);
        return undefined;
      default:
        // Only a backend knows more.
        this.#type1((request as { op: string }).op);
        throw new KernelError("ENOTTY", `${this.name} does not know ${(request as { op: string }).op}`);
    }
  }

  /** Precondition: the group's lock is held. @throws KernelError EPERM groups with and without an IOMMU do not mix */
  async attach(group: ContainedGroup): Promise<void> {
    if (group.kind === "none") this.#assertRawIo();
    await this.#mutex.withLock(() => {
      this.#runtime.scheduler.access(this, "write");
      const [other] = this.#groups;
      if (other !== undefined && (other.kind === "none") !== (group.kind === "none")) {
        throw new KernelError("EPERM", `${this.name}: ${group.name} and ${other.name} do not mix`);
      }
      this.#groups.add(group);
    });
  }

  /** Precondition: the group's lock is held. When the last group leaves, what was mapped is forgotten. */
  async detach(group: ContainedGroup): Promise<void> {
    await this.#mutex.withLock(() => {
      this.#runtime.scheduler.access(this, "write");
      this.#groups.delete(group);
      if (this.#groups.size === 0) this.#backend = null;
    });
  }

  #type1(op: string): Type1 {
    this.#runtime.scheduler.access(this, "read");
    if (this.#backend === null) throw new KernelError("EINVAL", `${this.name}: ${op} before SET_IOMMU`);
    if (this.#backend.kind === "type1") return this.#backend.type1;
    throw new KernelError("ENOTTY", `${this.name}: its backend does not know ${op}`);
  }

  #has(extension: number): number {
    this.#runtime.scheduler.access(this, "read");
    const [group] = this.#groups;
    const without = extension === Extension.NOIOMMU ? 1 : 0;
    const type1 = type1Extensions.includes(extension) ? 1 : 0;
    if (this.#backend !== null) return this.#backend.kind === "type1" ? type1 : without;
    if (group !== undefined) return group.kind === "none" ? without : type1;
    return Math.max(type1, without);
  }

  async #setIommu(type: number): Promise<void> {
    await this.#mutex.withLock(() => {
      this.#runtime.scheduler.access(this, "write");
      const [group] = this.#groups;
      if (group === undefined || this.#backend !== null) {
        const why = group === undefined ? "no group was added" : "it has one already";
        throw new KernelError("EINVAL", `${this.name}: SET_IOMMU, but ${why}`);
      }
      this.#backend = this.#open(type, group);
    });
  }

  #open(type: number, group: ContainedGroup): Backend {
    if (group.kind === "none" && type === Extension.NOIOMMU) {
      this.#assertRawIo();
      return { kind: "no IOMMU" };
    }
    if (group.kind !== "none" && (type === Extension.TYPE1 || type === Extension.TYPE1v2)) {
      const ioas = new Ioas(this.#runtime, `type1 of ${this.name}`, this.#init.limits);
      return { kind: "type1", type1: new Type1(ioas, type === Extension.TYPE1 ? 1 : 2) };
    }
    throw new KernelError("ENODEV", `${this.name}: no backend of type ${type} takes ${group.name}`);
  }

  #assertRawIo(): void {
    if (this.#init.mayRawIo) return;
    throw new KernelError("EPERM", `${this.name}: devices without an IOMMU are for who may do raw I/O`);
  }
}
