/** A driver of a slice's vGPU in another process, or machine: memory of its own, a ring of commands in it, a doorbell. */
import assert from "node:assert/strict";
import type { System } from "parhelion-core";
import { type Exchange, vgpuCommand, vmCommand } from "parhelion-protocol";
import {
  AttachedDevice,
  bytesMemory,
  CommandSlot,
  EventCounter,
  IrqSetFlag,
  NoticeSlot,
  PciIrq,
  PciRegion,
  VgpuControl,
  VgpuRegister,
  VgpuVector,
} from "parhelion-vfio";
import { deviceRequest } from "../vgpu/bench.test.fixture.js";

const slots = 4;
const noticesAt = 0x1000;
const requestAt = 0x1_0000;
const replyAt = 0x1_8000;
const memoryBytes = 0x2_0000;

export class DoorbellDriver {
  readonly device: AttachedDevice;
  readonly memory = Buffer.alloc(memoryBytes);
  readonly #answered: EventCounter;
  readonly #noticed: EventCounter;
  #put = 0;
  #taken = 0;

  private constructor(device: AttachedDevice, answered: EventCounter, noticed: EventCounter) {
    this.device = device;
    this.#answered = answered;
    this.#noticed = noticed;
  }

  static async open(system: System, node: string): Promise<DoorbellDriver> {
    const device = await AttachedDevice.open(system, node);
    try {
      return await DoorbellDriver.#begin(system, device);
    } catch (error) {
      await device.close();
      throw error;
    }
  }

  static async #begin(system: System, device: AttachedDevice): Promise<DoorbellDriver> {
    const counters = ["answered", "notice"].map((name) => new EventCounter(system.runtime, name));
    const flags = IrqSetFlag.DATA_EVENTFD | IrqSetFlag.ACTION_TRIGGER;
    const argsz = 20 + 4 * counters.length;
    await device.call("SET_IRQS", { argsz, flags, index: PciIrq.MSIX, start: 0, count: 2, data: counters });
    const [answered, noticed] = [VgpuVector.answered, VgpuVector.notice].map((vector) => counters[vector]);
    assert.ok(answered && noticed);
    const driver = new DoorbellDriver(device, answered, noticed);
    await device.map(0n, BigInt(memoryBytes), bytesMemory(driver.memory));
    await driver.enable();
    await driver.write(VgpuRegister.commandSlots, slots);
    await driver.write(VgpuRegister.noticeBase, noticesAt);
    await driver.write(VgpuRegister.noticeSlots, slots);
    await driver.write(VgpuRegister.control, VgpuControl.commands | VgpuControl.notices);
    return driver;
  }

  /** Memory space and bus master, in the command register. */
  async enable(): Promise<void> {
    const argsz = 32;
    const { offset } = await this.device.call("GET_REGION_INFO", { argsz, index: PciRegion.CONFIG });
    await this.device.call("WRITE", { offset: offset + 4n, bytes: Uint8Array.of(6, 0) });
  }

  async write(register: number, value: number): Promise<void> {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(value);
    await this.device.call("WRITE", { offset: await this.#offset(register), bytes });
  }

  async register(register: number): Promise<number> {
    const offset = await this.#offset(register);
    return Buffer.from(await this.device.call("READ", { offset, length: 4 })).readUInt32LE();
  }

  /** One after the other. @throws Error with the NTSTATUS and the words that came with it */
  async ask<Q, R>(exchange: Exchange<Q, R>, value: Partial<Q>, process = 0, channel = 0): Promise<R> {
    const body = exchange.request.encode(value);
    const { memory } = this;
    const at = (this.#put % slots) * CommandSlot.bytes;
    memory.fill(0, at, at + CommandSlot.bytes);
    memory.set(body, requestAt);
    memory.writeUInt32LE(channel, at + CommandSlot.channel);
    memory.writeUInt32LE(exchange.type, at + CommandSlot.type);
    memory.writeUInt32LE(process, at + CommandSlot.process);
    memory.writeUInt32LE(body.length, at + CommandSlot.requestBytes);
    memory.writeBigUInt64LE(BigInt(requestAt), at + CommandSlot.requestBase);
    memory.writeBigUInt64LE(BigInt(replyAt), at + CommandSlot.replyBase);
    memory.writeUInt32LE(memoryBytes - replyAt, at + CommandSlot.replyRoom);
    this.#put += 1;
    await this.write(VgpuRegister.commandDoorbell, this.#put);
    while (memory.readUInt32LE(at + CommandSlot.done) === 0) await this.#answered.wait();
    const status = memory.readInt32LE(at + CommandSlot.status);
    const reply = Buffer.from(
      memory.subarray(replyAt, replyAt + memory.readUInt32LE(at + CommandSlot.replyBytes)),
    );
    if (status < 0) throw new Error(`status ${(status >>> 0).toString(16)}: ${reply.toString()}`);
    return exchange.reply.decode(reply);
  }

  /** A process, and a device of it on the slice's engine. */
  async createDevice(): Promise<{ readonly process: number; readonly device: number }> {
    const { process } = await this.ask(vmCommand.createProcess, { processId: 7, name: "app" }, 0, 1);
    const { device } = await this.ask(vgpuCommand.createDevice, { privateData: deviceRequest() }, process);
    return { process, device };
  }

  /** The next notice that comes. */
  async notice(): Promise<{ readonly type: number; readonly body: Uint8Array }> {
    while ((await this.register(VgpuRegister.noticesPut)) === this.#taken) await this.#noticed.wait();
    const at = noticesAt + (this.#taken % slots) * NoticeSlot.bytes;
    const length = this.memory.readUInt32LE(at + NoticeSlot.length);
    const from = at + NoticeSlot.body;
    const type = this.memory.readUInt32LE(at + NoticeSlot.type);
    const body = Uint8Array.from(this.memory.subarray(from, from + length));
    this.#taken += 1;
    await this.write(VgpuRegister.noticeDoorbell, this.#taken);
    return { type, body };
  }

  async #offset(register: number): Promise<bigint> {
    const { offset } = await this.device.call("GET_REGION_INFO", { argsz: 32, index: PciRegion.BAR0 });
    return offset + BigInt(register);
  }
}
