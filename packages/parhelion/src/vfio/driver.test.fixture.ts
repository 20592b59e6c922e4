/**
 * A driver of a vGPU on the other side of a vfio-user socket, as one in a virtual machine would be: it has the function's
 * registers, memory of its own, and nothing else of the machine that the GPU is in.
 */
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { type Exchange, vgpuCommand, vmCommand } from "parhelion-protocol";
import {
  CommandSlot,
  PciRegion,
  QueueAttach,
  QueueCommand,
  QueueRegister,
  QueueState,
  VgpuControl,
  VgpuPage,
  VgpuRegister,
  VgpuStatus,
} from "parhelion-vfio";
import { VfioClient } from "./client.test.fixture.js";

/** The command register of a PCI function. */
const commandAt = 4;
const memoryAndBusMaster = 6;
const slots = 4;
const requestAt = 0x1000;
const replyAt = 0x8000;
const replyRoom = 0x8000;
const sendAt = 0x10_0000;
const receiveAt = 0x20_0000;
const ringBytes = 0x10_0000;
const queue = 5;
const queueAt = VgpuPage.queues + queue * QueueRegister.bytes;

export class VgpuDriver {
  readonly client: VfioClient;
  readonly memory = Buffer.alloc(0x30_0000);
  #put = 0;

  private constructor(client: VfioClient) {
    this.client = client;
  }

  static async connect(socket: string): Promise<VgpuDriver> {
    const driver = new VgpuDriver(await VfioClient.connect(socket));
    await driver.client.lend(driver.memory);
    await driver.client.write(PciRegion.CONFIG, commandAt, Buffer.from([memoryAndBusMaster, 0]));
    await driver.write(VgpuRegister.commandSlots, slots);
    await driver.write(VgpuRegister.control, VgpuControl.commands);
    return driver;
  }

  async register(offset: number): Promise<number> {
    return (await this.client.read(0, offset, 4)).readUInt32LE();
  }

  async write(offset: number, value: number): Promise<void> {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(value >>> 0);
    await this.client.write(0, offset, bytes);
  }

  /** A device of a process on the slice's engine, and a queue of that. @returns what createHwQueue answers */
  async createQueue() {
    const { process } = await this.#ask(1, vmCommand.createProcess, { processId: 1, name: "driver" });
    const wish = { label: "", requiredFeatures: [], requiredLimits: {}, defaultQueueLabel: "" };
    const privateData = new TextEncoder().encode(JSON.stringify(wish));
    const { device } = await this.#ask(0, vgpuCommand.createDevice, { privateData }, process);
    const { context } = await this.#ask(0, vgpuCommand.createContextVirtual, { device }, process);
    return this.#ask(0, vgpuCommand.createHwQueue, { context }, process);
  }

  /** Attaches a queue, and carries to its rings what somebody sends to `path`, once. Resolves when that can be done. */
  async carry(path: string): Promise<void> {
    const body = Buffer.alloc(QueueAttach.bytes);
    body.writeUInt32LE(queue, QueueAttach.number);
    body.writeUInt32LE(ringBytes, QueueAttach.sendBytes);
    body.writeUInt32LE(ringBytes, QueueAttach.receiveBytes);
    body.writeBigUInt64LE(BigInt(sendAt), QueueAttach.sendBase);
    body.writeBigUInt64LE(BigInt(receiveAt), QueueAttach.receiveBase);
    await this.#command(2, QueueCommand.attach, body);
    const server = createServer((socket) => {
      server.close();
      // The end of the connection to the device is the end of this.
      this.#carry(socket).catch(() => socket.destroy());
    });
    server.listen(path);
    await once(server, "listening");
  }

  async #carry(socket: Socket): Promise<void> {
    let waiting = Buffer.alloc(0);
    let sent = 0;
    let consumed = 0;
    socket.on("data", (bytes) => {
      waiting = Buffer.concat([waiting, bytes]);
    });
    socket.on("error", () => undefined);
    while (!socket.closed && (await this.register(queueAt + QueueRegister.state)) === QueueState.open) {
      const room = ringBytes - (sent - (await this.register(queueAt + QueueRegister.taken)));
      const out = waiting.subarray(0, room);
      waiting = waiting.subarray(out.length);
      out.forEach((byte, i) => {
        this.memory[sendAt + ((sent + i) % ringBytes)] = byte;
      });
      sent += out.length;
      if (out.length > 0) await this.write(queueAt + QueueRegister.sent, sent);
      const length = (await this.register(queueAt + QueueRegister.received)) - consumed;
      const from = consumed;
      consumed += length;
      if (length === 0) continue;
      const bytes = { length };
      socket.write(Uint8Array.from(bytes, (_, i) => this.memory[receiveAt + ((from + i) % ringBytes)] ?? 0));
      await this.write(queueAt + QueueRegister.consumed, consumed);
    }
    socket.destroy();
  }

  async #ask<Q, R>(channel: number, exchange: Exchange<Q, R>, value: Partial<Q>, process = 0): Promise<R> {
    return exchange.reply.decode(
      await this.#command(channel, exchange.type, exchange.request.encode(value), process),
    );
  }

  async #command(channel: number, type: number, body: Uint8Array, process = 0): Promise<Buffer> {
    const { memory } = this;
    const at = (this.#put % slots) * CommandSlot.bytes;
    memory.fill(0, at, at + CommandSlot.bytes);
    memory.set(body, requestAt);
    memory.writeUInt32LE(channel, at + CommandSlot.channel);
    memory.writeUInt32LE(type, at + CommandSlot.type);
    memory.writeUInt32LE(process, at + CommandSlot.process);
    memory.writeUInt32LE(body.length, at + CommandSlot.requestBytes);
    memory.writeBigUInt64LE(BigInt(requestAt), at + CommandSlot.requestBase);
    memory.writeBigUInt64LE(BigInt(replyAt), at + CommandSlot.replyBase);
    memory.writeUInt32LE(replyRoom, at + CommandSlot.replyRoom);
    this.#put += 1;
    await this.write(VgpuRegister.commandDoorbell, this.#put);
    // Reading a register as often as it takes: it passes no descriptor for an interrupt.
    while (memory.readUInt32LE(at + CommandSlot.done) === 0)
      if (((await this.register(VgpuRegister.status)) & VgpuStatus.failed) !== 0)
        throw new Error("the function has failed");
    const status = memory.readInt32LE(at + CommandSlot.status);
    const length = memory.readUInt32LE(at + CommandSlot.replyBytes);
    const reply = Buffer.from(memory.subarray(replyAt, replyAt + length));
    if (status < 0) throw new Error(`status ${(status >>> 0).toString(16)}: ${reply.toString()}`);
    return reply;
  }
}
