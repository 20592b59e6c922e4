/**
 * What there is for one mediated device and no longer: the subchannel's state machine, regions, and what interruptions
 * have left to do. In reach of the callbacks of the channel subsystem between `VfioCcwParent.publish` and `withdraw`, and
 * there only under the subchannel's lock.
 */
import {
  type ChpEvent,
  type ChpLink,
  Erc,
  Fctl,
  type Irb,
  Rsc,
  type Subchannel,
  schib as schibLayout,
} from "parhelion-buses";
import {
  type ErrnoCode,
  isKernelError,
  KernelError,
  Mutex,
  type Named,
  noDeadline,
  type Runtime,
  type Work,
  WorkQueue,
} from "parhelion-core";
import type { VfioDevice, VfioDeviceOps, VfioIrq, VfioRegion } from "parhelion-vfio";
import {
  ASYNC_COMMAND,
  COMMAND_REGION,
  VFIO_CCW_IRQ,
  VFIO_CCW_REGION,
  VFIO_CCW_REGION_BYTES,
  VFIO_CCW_REGION_SUBTYPE,
  VFIO_CCW_REGION_TYPE,
} from "./abi.js";
import { CrwQueue } from "./crw-queue.js";
import type { HostStorage } from "./host-storage.js";
import { IoRegion, setRetCode } from "./io-region.js";
import { type Answer, SubchannelIo, type SubchannelIoInit } from "./subchannel-io.js";

export interface VfioCcwPrivateInit {
  readonly subchannel: Subchannel;
  readonly storage: HostStorage;
  readonly quiesceMs: number;
  /** Default: a `SubchannelIo`. */
  readonly makeIo?: (init: SubchannelIoInit) => SubchannelIo;
  /** Default: an `IoRegion`. */
  readonly makeIoRegion?: (runtime: Runtime, owner: string, signal: () => void) => IoRegion;
}

const ioRegion: VfioRegion = { size: VFIO_CCW_REGION_BYTES.io, access: "read-write" };
/** Those that are there while the device is open, by index from 1 on. */
const extraRegions: readonly VfioRegion[] = [
  region("command", "read-write"),
  region("schib", "read"),
  region("crw", "read"),
];
const irqs: readonly VfioIrq[] = [{ count: 1 }, { count: 1 }, { count: 1 }];

export class VfioCcwPrivate implements VfioDeviceOps {
  readonly io: SubchannelIo;
  readonly #subchannel: Subchannel;
  readonly #runtime: Runtime;
  readonly #device: VfioDevice;
  /** Of the regions. A write that finds it taken is refused, so nobody waits for a translation. */
  readonly #regions: Mutex;
  /** Open, close and reset, one after the other: each is several events of the state machine. */
  readonly #turns: Mutex;
  readonly #ioRegion: IoRegion;
  readonly #command = new Uint8Array(VFIO_CCW_REGION_BYTES.command);
  readonly #crws: CrwQueue;
  /** Its own, so that nobody else's work is waited for when it goes. */
  readonly #works: WorkQueue;
  readonly #ioWork: Work;
  readonly #crwWork: Work;
  readonly #parts: Named;
  #use: "closed" | "open" = "closed";

  constructor(device: VfioDevice, init: VfioCcwPrivateInit) {
    const { subchannel, storage, quiesceMs } = init;
    const { makeIo = (io) => new SubchannelIo(io), makeIoRegion = (...region) => new IoRegion(...region) } =
      init;
    const { runtime } = subchannel;
    const owner = device.devpath;
    this.#runtime = runtime;
    this.#parts = { name: `parts of ${owner}` };
    this.#subchannel = subchannel;
    this.#device = device;
    this.#regions = new Mutex(runtime, `regions of ${owner}`);
    this.#turns = new Mutex(runtime, `opens and closes of ${owner}`);
    this.#works = new WorkQueue(runtime, `works of ${owner}`);
    this.#ioRegion = makeIoRegion(runtime, owner, () => void device.irqs.trigger(VFIO_CCW_IRQ.io));
    this.#crws = new CrwQueue(runtime, owner);
    this.#ioWork = { name: `io work of ${owner}`, run: () => this.#show() };
    this.#crwWork = { name: `crw work of ${owner}`, run: () => this.#tellReports() };
    this.io = makeIo({
      subchannel,
      owner,
      memory: device.dma,
      storage,
      quiesceMs,
      interrupted: (irb) => this.#interrupted(irb),
    });
  }

  // For the channel subsystem: all under the subchannel's lock.

  irq(irb: Irb): void {
    this.#touch();
    this.io.interrupt(irb);
  }

  chpEvent({ chpid, mask }: ChpLink, event: ChpEvent): "done" | "failed" {
    this.#touch();
    const { cio } = this.#subchannel;
    if (cio.update() !== "done") return "failed";
    const inUse = (this.#subchannel.schib.pmcw.lpum & mask) !== 0;
    // Halted, and not taken back even where that could be done: of that nobody would tell the user.
    if (inUse && (event === "VARY_OFF" || event === "OFFLINE")) cio.halt();
    if (event === "OFFLINE") this.#report(Erc.PERRN, chpid);
    if (event === "ONLINE") this.#report(Erc.INIT, chpid);
    return "done";
  }

  gone(): void {
    this.#touch();
    this.io.gone();
  }

  /** The machine stops. Holds no lock. */
  async shutdown(): Promise<void> {
    await this.turn(async () => {
      if (this.#use === "open") await this.io.close();
      await this.#subchannel.lock.withLock(() => this.io.gone(), { deadline: noDeadline });
    });
  }

  /** As the device's: it is what holds this. */
  get(): void {
    this.#device.get();
  }

  put(): void {
    this.#device.put();
  }

  /** Precondition: nobody can reach it any more, so nothing is queued anew. */
  async retire(): Promise<void> {
    await this.#works.destroy({ deadline: noDeadline });
  }

  // For VFIO.

  async openDevice(): Promise<void> {
    await this.turn(async () => {
      if ((await this.io.state()) === "not-oper") throw this.#notOperational();
      await this.#regions.withLock(() => {
        this.#ioRegion.clear();
        this.#command.fill(0);
        this.#crws.clear();
      });
      this.#setUse("open");
      if ((await this.io.open()) === "idle") return;
      this.#setUse("closed");
      throw this.#notOperational();
    });
  }

  async closeDevice(): Promise<void> {
    await this.turn(async () => {
      await this.io.close();
      this.#setUse("closed");
    });
  }

  regions(): readonly VfioRegion[] {
    this.#runtime.scheduler.access(this.#turns, "read");
    return this.#use === "open" ? [ioRegion, ...extraRegions] : [ioRegion];
  }

  irqs(): readonly VfioIrq[] {
    return irqs;
  }

  async read(index: number, offset: number, length: number): Promise<Uint8Array> {
    return this.#regions.withLock(async () => {
      switch (index) {
        case VFIO_CCW_REGION.io:
          return this.#ioRegion.read(offset, length);
        case VFIO_CCW_REGION.command:
          return this.#command.slice(offset, offset + length);
        case VFIO_CCW_REGION.schib:
          return (await this.#schib()).slice(offset, offset + length);
        default:
          return this.#takeReport().slice(offset, offset + length);
      }
    });
  }

  async write(index: number, offset: number, bytes: Uint8Array): Promise<number> {
    const guard = this.#regions.tryLock();
    if (guard === null) {
      throw new KernelError("EAGAIN", `${this.#subchannel.name}: another write is under way; try again`);
    }
    try {
      if (index === VFIO_CCW_REGION.io) await this.#request(offset, bytes);
      else await this.#stop(offset, bytes);
      return bytes.length;
    } finally {
      guard.release();
    }
  }

  async reset(): Promise<void> {
    await this.turn(async () => {
      if (this.#use !== "open") throw new KernelError("ENODEV", `${this.#subchannel.name} is not open`);
      await this.io.close();
      // Whoever starts anew would take a status of before for its own.
      this.#ioRegion.forget();
      if ((await this.io.open()) !== "idle") throw this.#notOperational();
    });
  }

  request(count: number): void {
    if (this.#device.irqs.trigger(VFIO_CCW_IRQ.request) || count > 0) return;
    this.#runtime.log("info", "vfio-ccw.request-unheard", { subchannel: this.#subchannel.name });
  }

  async dmaUnmap(iova: bigint, length: bigint): Promise<void> {
    if (!(await this.io.uses(iova, length))) return;
    await this.reset();
    // A translation may still hold what it has pinned; it is on its way out.
    await this.io.unused(iova, length);
  }

  #interrupted(irb: Irb): void {
    this.#ioRegion.add(irb);
    this.#works.queue(this.#ioWork);
  }

  #report(erc: number, rsid: number): void {
    this.#crws.add({ rsc: Rsc.CPATH, erc, rsid });
    this.#works.queue(this.#crwWork);
  }

  async #show(): Promise<void> {
    this.#touch();
    await this.#regions.withLock(() => this.#ioRegion.show(), { deadline: noDeadline });
  }

  #tellReports(): void {
    this.#touch();
    this.#device.irqs.trigger(VFIO_CCW_IRQ.crw);
  }

  /** Whatever was written, and however little of it: the region says what is wanted now. */
  async #request(offset: number, bytes: Uint8Array): Promise<void> {
    this.#ioRegion.write(offset, bytes);
    const { orb, scsw } = this.#ioRegion.request();
    await this.#answered(
      "start",
      (answer) => this.#ioRegion.answer(answer),
      () => {
        if ((scsw.fctl & Fctl.START) !== 0) return this.io.start(orb);
        const stops = (scsw.fctl & (Fctl.HALT | Fctl.CLEAR)) !== 0;
        return this.io.noStart(stops ? "EOPNOTSUPP" : this.#ioRegion.answered);
      },
    );
  }

  async #stop(offset: number, bytes: Uint8Array): Promise<void> {
    this.#command.set(bytes, offset);
    const command = new DataView(this.#command.buffer).getUint32(COMMAND_REGION.command.offset);
    const how = command === ASYNC_COMMAND.halt ? "halt" : command === ASYNC_COMMAND.clear ? "clear" : null;
    const keep = (answer: Answer) => setRetCode(this.#command, COMMAND_REGION.retCode.offset, answer);
    await this.#answered(how ?? `command ${command}`, keep, () => this.io.stop(how));
  }

  /** Runs a request, leaves its answer in the region, and throws it if it is an error. */
  async #answered(what: string, keep: (answer: Answer) => void, run: () => Promise<Answer>): Promise<void> {
    try {
      const answer = await run();
      keep(answer);
      if (answer !== "done") throw this.#refused(what, answer);
    } catch (error) {
      if (isKernelError(error)) keep(error.code);
      throw error;
    }
  }

  async #schib(): Promise<Uint8Array> {
    return this.#subchannel.lock.withLock(
      () => {
        const { cio } = this.#subchannel;
        if (cio.update() !== "done") throw this.#refused("look at", "ENODEV");
        return schibLayout.encode(this.#subchannel.schib);
      },
      { deadline: noDeadline },
    );
  }

  /** Each read takes one, however little of it is read; if more are left they are signalled again. */
  #takeReport(): Uint8Array {
    const bytes = new Uint8Array(VFIO_CCW_REGION_BYTES.crw);
    bytes.set(this.#crws.take());
    if (this.#crws.waiting > 0) this.#works.queue(this.#crwWork);
    return bytes;
  }

  /** It is a part of the device, and must not be reached when that is released. */
  #touch(): void {
    this.#runtime.scheduler.access(this.#parts, "read");
  }

  protected turn(run: () => Promise<void>): Promise<void> {
    return this.#turns.withLock(run, { deadline: noDeadline });
  }

  #setUse(use: "closed" | "open"): void {
    this.#runtime.scheduler.access(this.#turns, "write");
    this.#use = use;
  }

  #notOperational(): KernelError {
    return new KernelError(
      "EINVAL",
      `${this.#subchannel.name} is not operational; it is about to be removed`,
    );
  }

  #refused(what: string, code: ErrnoCode): KernelError {
    return new KernelError(code, `${what} ${this.#subchannel.name}: ${reasons[code] ?? "it was refused"}`);
  }
}

const reasons: Partial<Record<ErrnoCode, string>> = {
  EACCES: "the paths that it names are not operational; leave them open, or name others",
  EAGAIN: "a channel program is being translated; try again",
  EBUSY: "something runs, or its status was not collected; wait for the interruption",
  EINVAL: "there is no such command; write 1 to halt, 2 to clear",
  EIO: "it is not open, or was reset meanwhile; start anew",
  ENODEV: "no path leads to it, or it is gone",
  EOPNOTSUPP: "halting and clearing is what the command region is for",
};

function region(name: "command" | "schib" | "crw", access: VfioRegion["access"]): VfioRegion {
  const type = { type: VFIO_CCW_REGION_TYPE, subtype: VFIO_CCW_REGION_SUBTYPE[name] };
  return { size: VFIO_CCW_REGION_BYTES[name], access, type };
}
