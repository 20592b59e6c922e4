/**
 * A subchannel as whoever has opened its VFIO device sees it, and nothing more: channel programs are written to a region,
 * interruptions come through eventfds. One channel program at a time.
 */
import {
  Actl,
  type Crw,
  crw as crwLayout,
  Fctl,
  type Irb,
  irb as irbLayout,
  type Orb,
  orb as orbLayout,
  Stctl,
  scsw as scswLayout,
} from "parhelion-buses";
import {
  Completion,
  isKernelError,
  KernelError,
  Mutex,
  noDeadline,
  type Runtime,
  type Work,
  WorkQueue,
} from "parhelion-core";
import { type Eventfd, IrqSetFlag, type OpenDevice } from "parhelion-vfio";
import { ASYNC_COMMAND, IO_REGION, VFIO_CCW_IRQ, VFIO_CCW_REGION_BYTES } from "../vfio-ccw/abi.js";
import { pause } from "./pause.js";
import { findRegions, type SubchannelRegions } from "./subchannel-regions.js";

export interface SubchannelListener {
  /** The device is to go: let go of it. */
  requested?(): void;
  /** Something happened to a channel path. */
  reported?(report: Crw): void;
  /** The device is gone, and everything that was asked of it has failed. */
  lost?(): void;
}

const crwBytes = 4;
/** How long is waited before what was refused for the moment is tried again, in ms. */
const retryMs = 2;
/** How long a clear is waited for, in ms, before the device is reset: longer than the channel subsystem waits itself. */
const clearMs = 5000;

export class SubchannelUser {
  readonly #runtime: Runtime;
  readonly #device: OpenDevice;
  readonly #regions: SubchannelRegions;
  readonly #listener: SubchannelListener;
  readonly #works: WorkQueue;
  /**
   * Held while a start or a reset is asked for and not yet answered. What the one ends must not be what the other begins: it would run on
   * with nobody who waits for it, and its end be taken for that of the next.
   */
  readonly #starts: Mutex;
  #waiting: Completion<Irb> | null = null;
  /** The same, once the start has been asked for. */
  #started: Completion<Irb> | null = null;
  /** Completed by the status that says that something was halted or cleared. */
  #stopping: Completion | null = null;
  #state: "in use" | "closed" | "lost" = "in use";

  private constructor(
    runtime: Runtime,
    device: OpenDevice,
    regions: SubchannelRegions,
    listener: SubchannelListener,
  ) {
    this.#runtime = runtime;
    this.#device = device;
    this.#regions = regions;
    this.#listener = listener;
    this.#works = new WorkQueue(runtime, `interruptions of ${device.name}`);
    this.#starts = new Mutex(runtime, `starts of ${device.name}`);
  }

  /** @param device stays its opener's to close @throws KernelError EINVAL it is no subchannel; and what the device says */
  static async open(
    runtime: Runtime,
    device: OpenDevice,
    listener: SubchannelListener = {},
  ): Promise<SubchannelUser> {
    const user = new SubchannelUser(runtime, device, await findRegions(device), listener);
    try {
      await user.#listen(VFIO_CCW_IRQ.io, { name: `io of ${device.name}`, run: () => user.#readStatus() });
      await user.#listen(VFIO_CCW_IRQ.crw, { name: `crw of ${device.name}`, run: () => user.#readReports() });
      await user.#listen(VFIO_CCW_IRQ.request, {
        name: `request of ${device.name}`,
        run: () => listener.requested?.(),
      });
      return user;
    } catch (error) {
      await user.close();
      throw error;
    }
  }

  get state(): "in use" | "closed" | "lost" {
    return this.#state;
  }

  /**
   * Starts a channel program and waits until nothing of it is left to do, whatever it came to.
   * @param orb in format 1, prefetched @param deadline on the runtime's clock
   * @throws KernelError ENODEV the device is gone; ETIMEDOUT it had not ended, and was cleared; EBUSY something else runs;
   * EACCES, ENODEV no path; ECANCELED it was reset, or closed; EINVAL, EFAULT, ENOMEM the program can't be translated
   */
  async run(orb: Partial<Orb>, deadline: number): Promise<Irb> {
    if (this.#waiting !== null) throw new KernelError("EBUSY", `${this.#device.name} runs a channel program`);
    const ended = new Completion<Irb>(this.#runtime, `end of the channel program on ${this.#device.name}`);
    this.#waiting = ended;
    try {
      await this.#stopping?.wait({ deadline });
      const bytes = new Uint8Array(IO_REGION.orb.bytes + IO_REGION.scsw.bytes);
      bytes.set(orbLayout.encode(orb), IO_REGION.orb.offset);
      bytes.set(scswLayout.encode({ fctl: Fctl.START }), IO_REGION.scsw.offset);
      try {
        await this.#starts.withLock(
          () => {
            this.#started = ended;
            return this.#write(this.#regions.io, bytes, deadline);
          },
          { deadline },
        );
        return await ended.wait({ deadline });
      } catch (error) {
        if (isKernelError(error, "ETIMEDOUT")) await this.#quieten();
        throw error;
      }
    } finally {
      this.#waiting = null;
      this.#started = null;
    }
  }

  /**
   * Halts or clears what runs, and waits until it has stopped. A program that is being waited for ends by that.
   * @throws KernelError ENODEV the device is gone, or no path leads to it; EBUSY; ETIMEDOUT it has not stopped; EOPNOTSUPP
   * it has no such region
   */
  async stop(how: "halt" | "clear", deadline: number): Promise<void> {
    const { command } = this.#regions;
    if (command === null)
      throw new KernelError("EOPNOTSUPP", `${this.#device.name} can't be halted; reset it`);
    const bytes = new Uint8Array(VFIO_CCW_REGION_BYTES.command);
    new DataView(bytes.buffer).setUint32(0, ASYNC_COMMAND[how]);
    const stopped = this.#stopping ?? new Completion(this.#runtime, `stop of ${this.#device.name}`);
    this.#stopping = stopped;
    try {
      await this.#write(command, bytes, deadline);
      await stopped.wait({ deadline });
    } finally {
      // Whoever starts something meanwhile waits for it no longer.
      stopped.completeAll();
      if (this.#stopping === stopped) this.#stopping = null;
    }
  }

  /** Ends whatever runs, without an interruption: a program that is being waited for fails with ECANCELED. @throws KernelError */
  async reset(): Promise<void> {
    await this.#starts.withLock(
      async () => {
        await this.#device.call("RESET", {});
        this.#started?.fail(new KernelError("ECANCELED", `${this.#device.name} was reset`));
      },
      { deadline: noDeadline },
    );
  }

  /** Fails what is waited for. The device is its opener's to close. */
  async close(): Promise<void> {
    if (this.#state === "in use") this.#state = "closed";
    this.#waiting?.fail(new KernelError("ECANCELED", `${this.#device.name} was closed`));
    await this.#works.destroy();
  }

  async #listen(index: number, work: Work): Promise<void> {
    const eventfd: Eventfd = {
      signal: () => void this.#works.queue(work),
      release: () => this.#lose(),
    };
    await this.#device.call("SET_IRQS", {
      argsz: 64,
      flags: IrqSetFlag.DATA_EVENTFD | IrqSetFlag.ACTION_TRIGGER,
      index,
      start: 0,
      count: 1,
      data: [eventfd],
    });
  }

  /** Whatever runs has ended when it returns, unless the device is gone. */
  async #quieten(): Promise<void> {
    try {
      await this.stop("clear", this.#runtime.clock.now() + clearMs);
    } catch {
      // What does not react to that is taken from below.
      await this.reset().catch(() => {});
    }
  }

  /** The device lets go of what it signals through: it was closed, by this user or not. */
  #lose(): void {
    if (this.#state !== "in use") return;
    this.#state = "lost";
    this.#stopping?.completeAll();
    this.#waiting?.fail(new KernelError("ENODEV", `${this.#device.name}: its device is not there any more`));
    this.#listener.lost?.();
  }

  async #readStatus(): Promise<void> {
    const { offset } = IO_REGION.irb;
    const bytes = await this.#read(this.#regions.io + BigInt(offset), irbLayout.size);
    if (bytes === null) return;
    const irb = irbLayout.decode(bytes);
    const { actl, cc, fctl, stctl } = irb.scsw;
    // Signalled, and forgotten by a reset before it was read.
    if ((stctl & Stctl.PEND) === 0) return;
    if ((fctl & (Fctl.HALT | Fctl.CLEAR)) !== 0) this.#stopping?.completeAll();
    const byItself = cc === 0 && stctl === (Stctl.PEND | Stctl.ALERT);
    const goesOn = (actl & (Actl.SCHACT | Actl.DEVACT | Actl.SUSPENDED | Actl.START_PEND)) !== 0;
    if (!byItself && !goesOn) this.#waiting?.completeAll(irb);
  }

  async #readReports(): Promise<void> {
    const { crw } = this.#regions;
    if (crw === null) return;
    for (;;) {
      const bytes = await this.#read(crw, crwBytes);
      if (bytes === null || bytes.every((byte) => byte === 0)) return;
      this.#listener.reported?.(crwLayout.decode(bytes));
    }
  }

  /** @returns null when there is nobody to read from any more */
  async #read(offset: bigint, length: number): Promise<Uint8Array | null> {
    try {
      return await this.#device.call("READ", { offset, length });
    } catch (error) {
      if (isKernelError(error, "ENODEV") || isKernelError(error, "EBADF")) return null;
      throw error;
    }
  }

  /** Tries again what is refused only because somebody else is at it. */
  async #write(offset: bigint, bytes: Uint8Array, deadline: number): Promise<void> {
    for (;;) {
      try {
        await this.#device.call("WRITE", { offset, bytes }, { deadline });
        return;
      } catch (error) {
        if (!isKernelError(error, "EAGAIN") || this.#runtime.clock.now() >= deadline) throw error;
      }
      await pause(this.#runtime, retryMs);
    }
  }
}
