/** A driver of the vGPU's PCI function in a process of its own memory: rings, doorbells and interrupts by hand. */
import assert from "node:assert/strict";
import type { System } from "parhelion-core";
import { bytesMemory } from "../../iommu/user-memory.js";
import type { EventCounter } from "../../irq/eventfd.js";
import { PciIrq } from "../../irq/irq.js";
import { PciRegion } from "../../region/region.js";
import { PciCommand, PciOffset } from "../pci/config-offsets.js";
import { PciUser } from "../pci-user.test.fixture.js";
import {
  CommandSlot,
  NoticeSlot,
  QueueAttach,
  QueueCommand,
  QueueRegister,
  VgpuControl,
  VgpuPage,
  VgpuRegister,
  VgpuVector,
} from "./vgpu-registers.js";

/** Where the memory is for the device. */
export const iova = 0x1_0000_0000n;
export const slots = 4;
const commandsAt = 0;
const noticesAt = 0x1000;
const requestsAt = 0x2_0000;
const repliesAt = 0x3_0000;
const bufferBytes = 0x1000;
const queuesAt = 0x4_0000;
/** Of each ring. */
export const queueBytes = 4096;

export interface Answer {
  readonly status: number;
  readonly body: Buffer;
}

export class VgpuDriver {
  readonly user: PciUser;
  readonly memory = Buffer.alloc(0x5_0000);
  readonly answered: EventCounter;
  readonly noticed: EventCounter;
  readonly moved: EventCounter;
  #put = 0;
  #taken = 0;

  private constructor(user: PciUser, answered: EventCounter, noticed: EventCounter, moved: EventCounter) {
    this.user = user;
    this.moved = moved;
    this.answered = answered;
    this.noticed = noticed;
  }

  static async open(system: System, node: string): Promise<VgpuDriver> {
    const user = await PciUser.open(system, node);
    const answered = await user.listen(PciIrq.MSIX, VgpuVector.answered);
    const noticed = await user.listen(PciIrq.MSIX, VgpuVector.notice);
    const moved = await user.listen(PciIrq.MSIX, VgpuVector.queue);
    const driver = new VgpuDriver(user, answered, noticed, moved);
    await user.device.map(iova, BigInt(driver.memory.length), bytesMemory(driver.memory, 0n));
    return driver;
  }

  register(offset: number): Promise<number> {
    return this.user.read(PciRegion.BAR0, offset, 4);
  }

  write(offset: number, value: number): Promise<void> {
    return this.user.write(PciRegion.BAR0, offset, value, 4);
  }

  /** Memory space, and the bus master that reaches memory by itself. */
  async enable(command = PciCommand.memorySpace | PciCommand.busMaster): Promise<void> {
    await this.user.write(PciRegion.CONFIG, PciOffset.command, command, 2);
  }

  async begin(): Promise<void> {
    await this.enable();
    const high = Number(iova >> 32n);
    await this.write(VgpuRegister.commandBase, commandsAt);
    await this.write(VgpuRegister.commandBase + 4, high);
    await this.write(VgpuRegister.commandSlots, slots);
    await this.write(VgpuRegister.noticeBase, noticesAt);
    await this.write(VgpuRegister.noticeBase + 4, high);
    await this.write(VgpuRegister.noticeSlots, slots);
    await this.write(VgpuRegister.control, VgpuControl.commands | VgpuControl.notices);
    this.#put = 0;
    this.#taken = 0;
  }

  /** Puts a command into the next slot. @returns its slot */
  place(
    type: number,
    body: Uint8Array,
    init: { channel?: number; process?: number; room?: number } = {},
  ): number {
    const { channel = 0, process = 0, room = bufferBytes } = init;
    const slot = this.#put % slots;
    const at = commandsAt + slot * CommandSlot.bytes;
    const { memory } = this;
    memory.fill(0, at, at + CommandSlot.bytes);
    memory.set(body, requestsAt + slot * bufferBytes);
    memory.writeUInt32LE(channel, at + CommandSlot.channel);
    memory.writeUInt32LE(type, at + CommandSlot.type);
    memory.writeUInt32LE(process, at + CommandSlot.process);
    memory.writeUInt32LE(body.length, at + CommandSlot.requestBytes);
    memory.writeBigUInt64LE(iova + BigInt(requestsAt + slot * bufferBytes), at + CommandSlot.requestBase);
    memory.writeBigUInt64LE(iova + BigInt(repliesAt + slot * bufferBytes), at + CommandSlot.replyBase);
    memory.writeUInt32LE(room, at + CommandSlot.replyRoom);
    this.#put += 1;
    return slot;
  }

  ring(put = this.#put): Promise<void> {
    return this.write(VgpuRegister.commandDoorbell, put >>> 0);
  }

  isDone(slot: number): boolean {
    return this.memory.readUInt32LE(slot * CommandSlot.bytes + CommandSlot.done) === 1;
  }

  answer(slot: number): Answer {
    assert.ok(this.isDone(slot));
    const at = slot * CommandSlot.bytes;
    const length = this.memory.readUInt32LE(at + CommandSlot.replyBytes);
    const from = repliesAt + slot * bufferBytes;
    return {
      status: this.memory.readInt32LE(at + CommandSlot.status),
      body: Buffer.from(this.memory.subarray(from, from + length)),
    };
  }

  /** Places a command, rings and waits for its answer. */
  async command(
    type: number,
    body: Uint8Array,
    init?: { channel?: number; process?: number; room?: number },
  ) {
    const slot = this.place(type, body, init);
    await this.ring();
    while (!this.isDone(slot)) await this.answered.wait();
    return this.answer(slot);
  }

  /** The next notice that has come, and room for another one. */
  async notice(): Promise<{ readonly type: number; readonly process: number; readonly body: Buffer }> {
    while ((await this.register(VgpuRegister.noticesPut)) === this.#taken) await this.noticed.wait();
    const at = noticesAt + (this.#taken % slots) * NoticeSlot.bytes;
    const length = this.memory.readUInt32LE(at + NoticeSlot.length);
    const notice = {
      type: this.memory.readUInt32LE(at + NoticeSlot.type),
      process: this.memory.readUInt32LE(at + NoticeSlot.process),
      body: Buffer.from(this.memory.subarray(at + NoticeSlot.body, at + NoticeSlot.body + length)),
    };
    this.#taken += 1;
    await this.write(VgpuRegister.noticeDoorbell, this.#taken);
    return notice;
  }

  /** Attaches a queue to two rings. @throws Error with the words of a refusal */
  async attach(number: number, bytes = queueBytes): Promise<DriverQueue> {
    const base = queuesAt + (number % 8) * 2 * queueBytes;
    const body = Buffer.alloc(QueueAttach.bytes);
    body.writeUInt32LE(number, QueueAttach.number);
    body.writeUInt32LE(bytes, QueueAttach.sendBytes);
    body.writeUInt32LE(bytes, QueueAttach.receiveBytes);
    body.writeBigUInt64LE(iova + BigInt(base), QueueAttach.sendBase);
    body.writeBigUInt64LE(iova + BigInt(base + queueBytes), QueueAttach.receiveBase);
    await this.#queueCommand(QueueCommand.attach, body);
    return new DriverQueue(this, number, base);
  }

  async detach(number: number): Promise<void> {
    const body = Buffer.alloc(4);
    body.writeUInt32LE(number);
    await this.#queueCommand(QueueCommand.detach, body);
  }

  async #queueCommand(type: number, request: Uint8Array): Promise<void> {
    const { status, body } = await this.command(type, request, { channel: 2 });
    if (status < 0) throw new Error(body.toString());
  }
}

/** One attached queue. */
export class DriverQueue {
  readonly #driver: VgpuDriver;
  readonly #registers: number;
  readonly #sendAt: number;
  #sent = 0;
  #consumed = 0;

  constructor(driver: VgpuDriver, number: number, sendAt: number) {
    this.#driver = driver;
    this.#registers = VgpuPage.queues + number * QueueRegister.bytes;
    this.#sendAt = sendAt;
  }

  /** As many as there is room for. @returns how many */
  async put(bytes: Uint8Array): Promise<number> {
    const taken = await this.#driver.register(this.#registers + QueueRegister.taken);
    const length = Math.min(bytes.length, queueBytes - (this.#sent - taken));
    for (let i = 0; i < length; i++)
      this.#driver.memory[this.#sendAt + ((this.#sent + i) % queueBytes)] = bytes[i] ?? 0;
    this.#sent += length;
    await this.#driver.write(this.#registers + QueueRegister.sent, this.#sent);
    return length;
  }

  /** How many bytes there are to take. */
  async waiting(): Promise<number> {
    return (await this.#driver.register(this.#registers + QueueRegister.received)) - this.#consumed;
  }

  /** All that has come. */
  async take(): Promise<Buffer> {
    const length = await this.waiting();
    const from = this.#sendAt + queueBytes;
    const bytes = Uint8Array.from(
      { length },
      (_, i) => this.#driver.memory[from + ((this.#consumed + i) % queueBytes)] ?? 0,
    );
    this.#consumed += length;
    await this.#driver.write(this.#registers + QueueRegister.consumed, this.#consumed);
    return Buffer.from(bytes);
  }

  state(): Promise<number> {
    return this.#driver.register(this.#registers + QueueRegister.state);
  }
}
