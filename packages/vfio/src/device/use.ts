/**
 * One open of a device: by its own file, which can do nothing until it is bound to an iommufd, or through its group. It
 * ends once, by its user's close or by the device's revocation, whichever comes first, when no operation of the driver
 * is running for it any more.
 */
import {
  Completion,
  type FileOperations,
  KernelError,
  type MappedMemory,
  type MapRange,
  type Named,
  noDeadline,
  type OpenFile,
  type Runtime,
  WaitQueue,
} from "parhelion-core";
import type { IommufdContext } from "../iommufd/context.js";
import type { AnsweredRequest } from "./answer.js";
import type { DeviceCalls, DeviceReply, DeviceRequest, FileHandle } from "./calls.js";

/** By what a device is held back while it is open. */
export type Binding =
  | { readonly kind: "group" }
  | { readonly kind: "iommufd"; readonly context: IommufdContext; readonly devid: number };

/** A device, as its users see it. */
export interface UsedDevice extends Named {
  readonly runtime: Runtime;
  /** @throws KernelError EBUSY its group is open, EBADF, EBADFD, EINVAL it is open already, and what its driver throws */
  bind(iommufd: FileHandle): Promise<Binding>;
  openContained(): Promise<Binding>;
  close(binding: Binding): Promise<void>;
  /** @returns the number it is attached to @throws KernelError ENOENT there is no such address space */
  attach(context: IommufdContext, ptId: number | null): Promise<number>;
  answer(request: AnsweredRequest): Promise<DeviceReply>;
  map(range: MapRange): Promise<MappedMemory>;
  /** The use has ended. */
  ended(use: DeviceUse): void;
}

export class DeviceUse implements FileOperations<DeviceRequest, DeviceReply>, Named {
  readonly name: string;
  /** Set once, as soon as there is one. */
  file: Pick<OpenFile, "revoke"> | null = null;
  readonly #device: UsedDevice;
  readonly #runtime: Runtime;
  readonly #idle: WaitQueue;
  readonly #ended: Completion;
  #state: "open" | "cut off" | "ending" = "open";
  #binding: Binding | null = null;
  #running = 0;

  constructor(device: UsedDevice, number: number) {
    this.name = `use ${number} of ${device.name}`;
    this.#device = device;
    this.#runtime = device.runtime;
    this.#idle = new WaitQueue(device.runtime, `operations of ${this.name}`);
    this.#ended = new Completion(device.runtime, `end of ${this.name}`);
  }

  get state(): "open" | "cut off" | "ending" {
    this.#runtime.scheduler.access(this, "read");
    return this.#state;
  }

  /** @throws KernelError EINVAL not bound yet; ENODEV the device goes; and as `answer` and `UsedDevice` */
  request(request: DeviceRequest): Promise<DeviceReply> {
    return this.#run(async () => {
      if (request.op === "BIND_IOMMUFD") return this.#bind(request);
      const binding = this.#assertBound(request.op);
      if (request.op === "ATTACH_IOMMUFD_PT") return this.#attach(binding, request);
      if (request.op === "DETACH_IOMMUFD_PT") return this.#detach(binding, request);
      return this.#device.answer(request);
    });
  }

  /** @throws KernelError as `request` */
  map(range: MapRange): Promise<MappedMemory> {
    return this.#run(async () => {
      this.#assertBound("map");
      return this.#device.map(range);
    });
  }

  release(): Promise<void> {
    return this.end();
  }

  /** Opens the device by its group. @throws KernelError as `UsedDevice.openContained` */
  openContained(): Promise<void> {
    return this.#run(async () => {
      const binding = await this.#device.openContained();
      this.#grant(binding);
    });
  }

  /** Nothing more begins, and whoever waits gets the error: the device is revoked. */
  cut(error: KernelError): void {
    this.#runtime.scheduler.access(this, "write");
    if (this.#state === "open") this.#state = "cut off";
    this.file?.revoke(error);
  }

  /** Waits for what runs, closes the device, and for whoever has begun to do so. */
  async end(): Promise<void> {
    this.#runtime.scheduler.access(this, "write");
    if (this.#state === "ending") {
      await this.#ended.wait({ deadline: noDeadline });
      return;
    }
    this.#state = "ending";
    // Drivers wait for no user, and what they wait for of the user ends with the revocation.
    await this.#idle.wait(() => this.#isIdle(), { deadline: noDeadline });
    const binding = this.#binding;
    this.#binding = null;
    try {
      if (binding !== null) await this.#device.close(binding);
    } finally {
      // Whatever became of the closing: others wait for this end, without a deadline.
      this.#device.ended(this);
      this.#ended.completeAll();
    }
  }

  #isIdle(): boolean {
    this.#runtime.scheduler.access(this, "read");
    return this.#running === 0;
  }

  async #run<T>(operation: () => Promise<T>): Promise<T> {
    this.#runtime.scheduler.access(this, "write");
    if (this.#state !== "open") throw new KernelError("ENODEV", `${this.name}: the device is being removed`);
    this.#running += 1;
    try {
      return await operation();
    } finally {
      this.#runtime.scheduler.access(this, "write");
      this.#running -= 1;
      if (this.#running === 0) this.#idle.wake();
    }
  }

  #grant(binding: Binding): void {
    this.#runtime.scheduler.access(this, "write");
    this.#binding = binding;
  }

  #assertBound(op: string): Binding {
    this.#runtime.scheduler.access(this, "read");
    if (this.#binding === null) throw new KernelError("EINVAL", `${op} on ${this.name}: BIND_IOMMUFD first`);
    return this.#binding;
  }

  async #bind({ argsz, flags, iommufd }: DeviceCalls["BIND_IOMMUFD"]["request"]): Promise<{ devid: number }> {
    this.#runtime.scheduler.access(this, "read");
    if (argsz < 16 || flags !== 0 || iommufd === null) {
      throw new KernelError(
        "EINVAL",
        `BIND_IOMMUFD: argsz ${argsz} (at least 16), flags ${flags} (none), and an iommufd`,
      );
    }
    if (this.#binding !== null) {
      const how = this.#binding.kind === "group" ? "was opened through its group" : "is bound already";
      throw new KernelError("EINVAL", `BIND_IOMMUFD: ${this.name} ${how}`);
    }
    const binding = await this.#device.bind(iommufd);
    this.#grant(binding);
    return { devid: binding.kind === "iommufd" ? binding.devid : 0 };
  }

  async #attach(
    binding: Binding,
    { argsz, flags, ptId }: DeviceCalls["ATTACH_IOMMUFD_PT"]["request"],
  ): Promise<{ ptId: number }> {
    checkPtFlags("ATTACH_IOMMUFD_PT", argsz, 12, flags);
    if (binding.kind === "group")
      throw new KernelError("ENOTTY", `${this.name} was opened through its group`);
    return { ptId: await this.#device.attach(binding.context, ptId) };
  }

  async #detach(
    binding: Binding,
    { argsz, flags }: DeviceCalls["DETACH_IOMMUFD_PT"]["request"],
  ): Promise<undefined> {
    checkPtFlags("DETACH_IOMMUFD_PT", argsz, 8, flags);
    if (binding.kind === "group")
      throw new KernelError("ENOTTY", `${this.name} was opened through its group`);
    await this.#device.attach(binding.context, null);
    return undefined;
  }
}

/** Bit 0 asks for one process's address space, which no device here has. */
function checkPtFlags(op: string, argsz: number, least: number, flags: number): void {
  if (argsz < least || (flags & ~1) !== 0) {
    throw new KernelError("EINVAL", `${op}: argsz ${argsz} (at least ${least}), flags ${flags} (none)`);
  }
  if (flags === 1)
    throw new KernelError("EOPNOTSUPP", `${op}: there are no address spaces of processes here`);
}
