/**
 * A vGPU's PCI function as its driver sees it: configuration space, registers, MSI-X. Ringing the doorbell has commands fetched from
 * the driver's memory and given to whoever does the vGPU's work; the same commands as on a vGPU's channel.
 */
import { KernelError, type Named, type Runtime } from "parhelion-core";
import { asBusMaster, type BusDma } from "../pci/bus-master.js";
import type { PciConfig } from "../pci/config.js";
import { MsixMemory } from "../pci/msix.js";
import { CommandRing, type RingCommand } from "./command-ring.js";
import { NoticeRing } from "./notice-ring.js";
import { QueueTable } from "./queue-table.js";
import type { VgpuBackend, VgpuNotice, VgpuReply, VgpuSession } from "./vgpu-backend.js";
import { vgpuConfig } from "./vgpu-config.js";
import {
  MOST_SLOTS,
  VGPU_BAR_BYTES,
  VGPU_MAGIC,
  VGPU_REGISTER_VERSION,
  VGPU_VECTORS,
  VgpuControl,
  VgpuPage,
  VgpuRegister,
  VgpuStatus,
  VgpuVector,
} from "./vgpu-registers.js";

export interface VgpuFunctionInit {
  readonly runtime: Runtime;
  readonly name: string;
  readonly dma: BusDma;
  readonly backend: VgpuBackend;
  /** @returns whether somebody listens */
  trigger(vector: number): boolean;
}

export class VgpuFunction implements Named {
  readonly name: string;
  readonly config: PciConfig;
  readonly #init: VgpuFunctionInit;
  readonly #msix = new MsixMemory(VGPU_VECTORS);
  /** What the driver has written, by register. */
  readonly #written = new Map<number, number>();
  #session: VgpuSession | null = null;
  #commands: CommandRing | null = null;
  #notices: NoticeRing | null = null;
  #queues: QueueTable | null = null;
  #status: number = VgpuStatus.ready;

  constructor(init: VgpuFunctionInit) {
    this.name = init.name;
    this.config = vgpuConfig(init.backend.config);
    this.#init = { ...init, dma: asBusMaster(init.name, this.config, init.dma) };
  }

  /** A user has come. */
  open(): void {
    this.#access("write");
    this.config.reset();
    this.#begin();
  }

  /** The user has gone: nothing that it had is left. */
  close(): void {
    this.#access("write");
    this.#end();
  }

  /** As for a new user. */
  reset(): void {
    this.close();
    this.open();
  }

  /** @throws KernelError EINVAL outside of the registers */
  read(offset: number, length: number): Uint8Array {
    this.#access("read");
    if (offset < 0 || length < 1 || offset + length > VGPU_BAR_BYTES) throw outside("read", offset, length);
    const result = new Uint8Array(length);
    for (const [at, bytes] of this.#memory()) {
      const from = Math.max(offset, at);
      const to = Math.min(offset + length, at + bytes.length);
      if (from < to) result.set(bytes.subarray(from - at, to - at), from - offset);
    }
    return result;
  }

  /** Whole words. What is read-only, or nothing, stays as it is. @throws KernelError EINVAL */
  write(offset: number, bytes: Uint8Array): void {
    this.#access("write");
    const words = offset >= 0 && offset % 4 === 0 && bytes.length > 0 && bytes.length % 4 === 0;
    if (!words || offset + bytes.length > VGPU_BAR_BYTES) throw outside("write", offset, bytes.length);
    if (offset < VgpuPage.msixTable) {
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      for (let at = 0; at < bytes.length; at += 4) this.#writeRegister(offset + at, view.getUint32(at, true));
    } else if (offset >= VgpuPage.queues) {
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      for (let at = 0; at < bytes.length; at += 4)
        this.#queues?.write(offset - VgpuPage.queues + at, view.getUint32(at, true));
    } else if (offset + bytes.length <= VgpuPage.msixTable + this.#msix.table.length)
      this.#msix.write(offset - VgpuPage.msixTable, bytes);
  }

  #begin(): void {
    this.#msix.reset();
    this.#written.clear();
    this.#status = VgpuStatus.ready;
    const { runtime, dma, backend } = this.#init;
    const session = backend.open((notice) => this.#notify(notice));
    const { openQueue } = session;
    this.#session = session;
    this.#queues =
      openQueue === undefined
        ? null
        : new QueueTable({
            runtime,
            name: `queues of ${this.name}`,
            dma,
            connect: () => openQueue.call(session),
            changed: () => this.#trigger(VgpuVector.queue),
            failed: (error) => this.#fail(error),
          });
  }

  #end(): void {
    this.#commandsOff();
    this.#noticesOff();
    this.#queues?.close();
    this.#queues = null;
    this.#session?.close();
    this.#session = null;
  }

  #writeRegister(offset: number, value: number): void {
    switch (offset) {
      case VgpuRegister.control:
        this.#control(value);
        return;
      case VgpuRegister.commandDoorbell:
        this.#written.set(offset, value);
        this.#commands?.ring(value);
        return;
      case VgpuRegister.noticeDoorbell:
        this.#written.set(offset, value);
        this.#notices?.ring(value);
        return;
      case VgpuRegister.commandBase:
      case VgpuRegister.commandBase + 4:
      case VgpuRegister.commandSlots:
        if (this.#commands === null) this.#written.set(offset, value);
        return;
      case VgpuRegister.noticeBase:
      case VgpuRegister.noticeBase + 4:
      case VgpuRegister.noticeSlots:
        if (this.#notices === null) this.#written.set(offset, value);
        return;
      default:
      // Read-only, or no register.
    }
  }

  #control(value: number): void {
    if ((value & VgpuControl.commands) === 0) this.#commandsOff();
    else if (this.#commands === null) this.#commandsOn();
    if ((value & VgpuControl.notices) === 0) this.#noticesOff();
    else if (this.#notices === null) this.#noticesOn();
  }

  #commandsOn(): void {
    const { runtime, dma } = this.#init;
    const session = this.#session;
    const slots = this.#slots(VgpuRegister.commandSlots);
    if (session === null || slots === null) return;
    this.#written.set(VgpuRegister.commandDoorbell, 0);
    this.#commands = new CommandRing({
      runtime,
      name: `commands of ${this.name}`,
      dma,
      serve: (command) => this.#serve(session, command),
      base: this.#address(VgpuRegister.commandBase),
      slots,
      answered: () => this.#trigger(VgpuVector.answered),
      failed: (error) => this.#fail(error),
    });
  }

  async #serve(session: VgpuSession, { channel, ...command }: RingCommand): Promise<VgpuReply> {
    if (channel === queueChannel && this.#queues !== null)
      return this.#queues.serve(command.type, command.body);
    const name = channels[channel];
    if (name !== undefined) return session.serve({ ...command, channel: name });
    return { status: notSupported, body: new TextEncoder().encode(`there is no channel ${channel}`) };
  }

  #commandsOff(): void {
    this.#commands?.off();
    this.#commands = null;
  }

  #noticesOn(): void {
    const { runtime, dma } = this.#init;
    const slots = this.#slots(VgpuRegister.noticeSlots);
    if (slots === null) return;
    this.#written.set(VgpuRegister.noticeDoorbell, 0);
    this.#notices = new NoticeRing({
      runtime,
      name: `notices of ${this.name}`,
      dma,
      base: this.#address(VgpuRegister.noticeBase),
      slots,
      put: () => this.#trigger(VgpuVector.notice),
      lost: () => {
        this.#status |= VgpuStatus.noticesLost;
      },
      failed: (error) => this.#fail(error),
    });
  }

  #noticesOff(): void {
    this.#notices?.off();
    this.#notices = null;
    this.#status &= ~VgpuStatus.noticesLost;
  }

  #notify(notice: VgpuNotice): void {
    this.#access("write");
    if (this.#notices === null) this.#status |= VgpuStatus.noticesLost;
    else this.#notices.notify(notice);
  }

  #trigger(vector: number): void {
    this.#access("write");
    this.#msix.told(vector, this.#init.trigger(vector));
  }

  #fail(error: unknown): void {
    this.#access("write");
    this.#status |= VgpuStatus.failed;
    this.#init.runtime.log("warn", "vfio.vgpu-failed", { device: this.name, error });
    this.#trigger(VgpuVector.answered);
  }

  /** Null, and the function has failed, where it is no size of a ring. */
  #slots(register: number): number | null {
    const slots = this.#written.get(register) ?? 0;
    if (slots >= 1 && slots <= MOST_SLOTS && (slots & (slots - 1)) === 0) return slots;
    this.#fail(
      new KernelError("EINVAL", `a ring of ${slots} slots; give a power of two, ${MOST_SLOTS} at most`),
    );
    return null;
  }

  #address(register: number): bigint {
    const low = this.#written.get(register) ?? 0;
    const high = this.#written.get(register + 4) ?? 0;
    return (BigInt(high) << 32n) | BigInt(low);
  }

  #memory(): readonly (readonly [number, Uint8Array])[] {
    return [
      [VgpuPage.registers, this.#registers()],
      [VgpuPage.msixTable, this.#msix.table],
      [VgpuPage.msixPending, this.#msix.pending],
      ...(this.#queues === null ? [] : [[VgpuPage.queues, this.#queues.registers] as const]),
    ];
  }

  #registers(): Uint8Array {
    const bytes = new Uint8Array(registerBytes);
    const view = new DataView(bytes.buffer);
    for (const [offset, value] of this.#written) view.setUint32(offset, value, true);
    view.setUint32(VgpuRegister.magic, VGPU_MAGIC, true);
    view.setUint32(VgpuRegister.version, VGPU_REGISTER_VERSION, true);
    view.setUint32(VgpuRegister.status, this.#status, true);
    const on =
      (this.#commands === null ? 0 : VgpuControl.commands) |
      (this.#notices === null ? 0 : VgpuControl.notices);
    view.setUint32(VgpuRegister.control, on, true);
    view.setUint32(VgpuRegister.commandsAnswered, this.#commands?.answered ?? 0, true);
    view.setUint32(VgpuRegister.noticesPut, this.#notices?.put ?? 0, true);
    return bytes;
  }

  #access(mode: "read" | "write"): void {
    this.#init.runtime.scheduler.access(this, mode);
  }
}

/** By `CommandSlot.channel`; queues are the function's own. */
const channels = ["vgpu", "machine"] as const;
const queueChannel = 2;
/** STATUS_NOT_SUPPORTED, as a signed number. */
const notSupported = 0xc000_00bb | 0;

/** The last register's end. */
const registerBytes = VgpuRegister.noticesPut + 4;

function outside(what: string, offset: number, length: number): KernelError {
  return new KernelError("EINVAL", `${what} of ${length} bytes at ${offset} of a vGPU's registers`);
}
