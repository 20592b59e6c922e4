/** What each command of a client does with the device that it has open. Answers are what follows a reply's header. */
import { isKernelError, KernelError, type Runtime, type WaitOptions } from "parhelion-core";
import { deviceCall } from "../../device/call.js";
import { DeviceFlag } from "../../device/calls.js";
import type { AttachedDevice } from "../../iommufd/attached-device.js";
import type { Eventfd } from "../../irq/eventfd.js";
import { IrqFlag, IrqSetFlag } from "../../irq/irq.js";
import { encodeDeviceInfo, encodeIrqInfo, encodeNoRegionIoFds, type InfoQuestion } from "../wire/device.js";
import { encodeDmaUnmapped } from "../wire/dma.js";
import type { SetIrqs } from "../wire/irqs.js";
import {
  encodeRegionData,
  encodeRegionWritten,
  encodeWritesDone,
  type RegionWrite,
} from "../wire/region-access.js";
import type { Request } from "../wire/request.js";
import type { ClientMemory } from "./client-memory.js";
import type { Descriptors } from "./descriptors.js";
import { MigrationData } from "./migration-data.js";
import type { Questions } from "./questions.js";
import { Regions } from "./regions.js";

export interface DeviceCommandsInit {
  readonly runtime: Runtime;
  readonly user: AttachedDevice;
  readonly memory: ClientMemory;
  readonly questions: Questions;
  /** Null: none come. */
  readonly descriptors: Descriptors | null;
  /** Most data in one message from the client, or that it may ask for. */
  readonly dataBytes: number;
  /** Most data in one message to the client. */
  readonly pieceBytes: number;
}

type DeviceRequest = Exclude<Request, { readonly command: "VERSION" }>;

/** All that can be asked of a device that stands still (VFIO_DEVICE_STATE_STOP_COPY). */
const whileStill: ReadonlySet<Request["command"]> = new Set([
  "REGION_READ",
  "REGION_WRITE",
  "DEVICE_FEATURE",
  "MIG_DATA_READ",
]);

export class DeviceCommands {
  readonly #init: DeviceCommandsInit;
  readonly #regions: Regions;
  readonly #migration: MigrationData;

  constructor(init: DeviceCommandsInit) {
    this.#init = init;
    this.#regions = new Regions(init.user.file);
    this.#migration = new MigrationData(init.runtime, init.user.file, init.pieceBytes);
  }

  get dataBytes(): number {
    return this.#init.dataBytes;
  }

  /**
   * @param request its descriptors are owned from here on
   * @throws KernelError what the client is told
   */
  async run(request: DeviceRequest, options: WaitOptions): Promise<Uint8Array> {
    const { user, memory } = this.#init;
    if (this.#migration.standsStill && !whileStill.has(request.command)) {
      this.#closeFdsOf(request);
      throw new KernelError(
        "EINVAL",
        `${request.command}: the device stands still for its state to be taken`,
      );
    }
    switch (request.command) {
      case "DMA_MAP":
        await memory.map(request.map, request.fd, options);
        return empty();
      case "DMA_UNMAP":
        await this.#quiesce(request.command, options);
        return encodeDmaUnmapped(request.unmap, await memory.unmap(request.unmap, options));
      case "DEVICE_GET_INFO":
        return this.#info(options);
      case "DEVICE_GET_REGION_INFO":
        return this.#regions.info(request.question, options);
      case "DEVICE_GET_REGION_IO_FDS":
        await this.#regions.info(request.question, options);
        return encodeNoRegionIoFds(request.question.index);
      case "DEVICE_GET_IRQ_INFO":
        return this.#irqInfo(request.question, options);
      case "DEVICE_SET_IRQS":
        await this.#setIrqs(request.set, request.fds, options);
        return empty();
      case "REGION_READ":
        return encodeRegionData(request.read, await this.#regions.read(request.read, options));
      case "REGION_WRITE": {
        const count = await this.#regions.write(request.write, options);
        return encodeRegionWritten({ ...request.write, data: request.write.data.subarray(0, count) });
      }
      case "REGION_WRITE_MULTI":
        return encodeWritesDone(await this.#writeAll(request.writes, options));
      case "DEVICE_RESET":
        await this.#quiesce(request.command, options);
        await deviceCall(user.file, "RESET", {}, options);
        this.#migration.reset();
        return empty();
      case "DEVICE_FEATURE":
        if (request.call.action === "set") await this.#quiesce(request.command, options);
        return this.#migration.feature(request.call, options);
      case "MIG_DATA_READ":
        return this.#migration.read(request.size, options);
      case "MIG_DATA_WRITE":
        await this.#migration.write(request.data, options);
        return empty();
    }
  }

  async #info(options: WaitOptions): Promise<Uint8Array> {
    const { flags, numRegions, numIrqs } = await deviceCall(
      this.#init.user.file,
      "GET_INFO",
      { argsz: 16 },
      options,
    );
    // The protocol's structure has no place for capabilities.
    return encodeDeviceInfo({ flags: flags & ~DeviceFlag.CAPS, regions: numRegions, irqs: numIrqs });
  }

  async #irqInfo({ index }: InfoQuestion, options: WaitOptions): Promise<Uint8Array> {
    const { user, descriptors } = this.#init;
    const info = await deviceCall(user.file, "GET_IRQ_INFO", { argsz: 16, index }, options);
    return encodeIrqInfo(
      index,
      descriptors === null ? info.flags & ~IrqFlag.EVENTFD : info.flags,
      info.count,
    );
  }

  async #setIrqs(set: SetIrqs, fds: readonly number[], options: WaitOptions): Promise<void> {
    const { index, start, count } = set;
    const triggers = this.#eventfdsOf(set, fds);
    const flags = actionFlags[set.action] | dataFlag(set.data);
    const data = triggers ?? (typeof set.data === "string" ? undefined : Uint8Array.from(set.data, Number));
    const head = {
      argsz: 20 + (triggers?.length ?? 0) * 4 + (typeof set.data === "string" ? 0 : count),
      flags,
    };
    try {
      const call = { ...head, index, start, count, ...(data !== undefined && { data }) };
      await deviceCall(this.#init.user.file, "SET_IRQS", call, options);
    } catch (error) {
      for (const trigger of triggers ?? []) trigger?.release?.();
      throw error;
    }
  }

  /** Null: the data is something else. */
  #eventfdsOf({ action, data, count }: SetIrqs, fds: readonly number[]): readonly (Eventfd | null)[] | null {
    const { descriptors } = this.#init;
    if (data !== "eventfd") return null;
    if (descriptors === null) {
      const why = "this server can't take descriptors: install koffi beside it, or poll the device";
      throw new KernelError("EOPNOTSUPP", `DEVICE_SET_IRQS: ${why}`);
    }
    if (fds.length === 0) return Array.from({ length: count }, () => null);
    try {
      if (action !== "trigger") descriptors.prepareToListen();
      return descriptors.eventfds(fds);
    } catch (error) {
      for (const fd of fds) descriptors.close(fd);
      throw error;
    }
  }

  /** @returns how many were done: what follows one that fails is not. @throws what the first one throws, if it is that */
  async #writeAll(writes: readonly RegionWrite[], options: WaitOptions): Promise<number> {
    for (const [done, write] of writes.entries()) {
      try {
        if ((await this.#regions.write(write, options)) < write.data.length) return done;
      } catch (error) {
        if (done === 0) throw error;
        return done;
      }
    }
    return writes.length;
  }

  /**
   * What is under way between the device and the client's memory ends before the ground changes under it. A device that wants to
   * be told answers the request "QUIESCE" of its own, and takes the time that it needs.
   */
  async #quiesce(command: Request["command"], options: WaitOptions): Promise<void> {
    const { user, questions } = this.#init;
    try {
      await deviceCall(user.file, "IOCTL", { name: "QUIESCE", argument: command }, options);
    } catch (error) {
      if (!isKernelError(error, "ENOTTY")) throw error;
    }
    await questions.settled();
  }

  #closeFdsOf(request: DeviceRequest): void {
    const fds = request.command === "DEVICE_SET_IRQS" ? request.fds : [];
    const one = request.command === "DMA_MAP" && request.fd !== null ? [request.fd] : [];
    for (const fd of [...fds, ...one]) this.#init.descriptors?.close(fd);
  }
}

const actionFlags = {
  mask: IrqSetFlag.ACTION_MASK,
  unmask: IrqSetFlag.ACTION_UNMASK,
  trigger: IrqSetFlag.ACTION_TRIGGER,
} as const;

function dataFlag(data: SetIrqs["data"]): number {
  if (data === "none") return IrqSetFlag.DATA_NONE;
  return data === "eventfd" ? IrqSetFlag.DATA_EVENTFD : IrqSetFlag.DATA_BOOL;
}

/** An answer that is its header. */
function empty(): Uint8Array {
  return new Uint8Array(0);
}
