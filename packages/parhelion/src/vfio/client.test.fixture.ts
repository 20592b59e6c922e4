/**
 * As much of a vfio-user client as it takes to use a device that somebody serves: it passes no descriptors, and lends its memory by
 * answering the server's questions for it.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";

const headerBytes = 16;
const Command = { version: 1, dmaMap: 2, regionRead: 9, regionWrite: 10, dmaRead: 11, dmaWrite: 12 } as const;
const replyFlag = 1;
const errorFlag = 0x20;
const readWrite = 3;

export class VfioClient {
  readonly #socket: Socket;
  readonly #waiting = new Map<number, { resolve(body: Buffer): void; reject(error: Error): void }>();
  #received = Buffer.alloc(0);
  #memory: Buffer = Buffer.alloc(0);
  #id = 0;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (bytes) => {
      this.#received = Buffer.concat([this.#received, bytes]);
      this.#take();
    });
    socket.on("error", () => undefined);
    socket.on("close", () => {
      for (const { reject } of this.#waiting.values())
        reject(new Error("the server has closed the connection"));
      this.#waiting.clear();
    });
  }

  static async connect(path: string): Promise<VfioClient> {
    const socket = connect(path);
    await once(socket, "connect");
    const client = new VfioClient(socket);
    const version = Buffer.from([0, 0, 1, 0, ...Buffer.from("{}\0")]);
    const reply = await client.#ask(Command.version, version);
    assert.equal(reply.readUInt16LE(0), 0, "major version");
    return client;
  }

  async read(region: number, offset: number, length: number): Promise<Buffer> {
    return (await this.#ask(Command.regionRead, access(region, offset, length))).subarray(headerBytes);
  }

  async write(region: number, offset: number, bytes: Uint8Array): Promise<void> {
    await this.#ask(Command.regionWrite, Buffer.concat([access(region, offset, bytes.length), bytes]));
  }

  /** The device reaches these bytes at 0. */
  async lend(memory: Buffer): Promise<void> {
    this.#memory = memory;
    const body = Buffer.alloc(32);
    body.writeUInt32LE(body.length, 0);
    body.writeUInt32LE(readWrite, 4);
    body.writeBigUInt64LE(BigInt(memory.length), 24);
    await this.#ask(Command.dmaMap, body);
  }

  /** Resolves when the other end has closed the connection. */
  async gone(): Promise<void> {
    if (!this.#socket.closed) await once(this.#socket, "close");
  }

  close(): void {
    this.#socket.destroy();
  }

  #ask(command: number, body: Uint8Array): Promise<Buffer> {
    this.#id = (this.#id + 1) % 0x1_0000;
    const id = this.#id;
    const answer = new Promise<Buffer>((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
    this.#send(id, command, 0, body);
    return answer;
  }

  #send(id: number, command: number, flags: number, body: Uint8Array): void {
    const header = Buffer.alloc(headerBytes);
    header.writeUInt16LE(id, 0);
    header.writeUInt16LE(command, 2);
    header.writeUInt32LE(headerBytes + body.length, 4);
    header.writeUInt32LE(flags, 8);
    this.#socket.write(Buffer.concat([header, body]));
  }

  #take(): void {
    for (;;) {
      const bytes = this.#received;
      if (bytes.length < headerBytes || bytes.length < bytes.readUInt32LE(4)) return;
      const message = bytes.subarray(0, bytes.readUInt32LE(4));
      this.#received = bytes.subarray(message.length);
      const [id, flags, body] = [
        message.readUInt16LE(0),
        message.readUInt32LE(8),
        message.subarray(headerBytes),
      ];
      if ((flags & replyFlag) === 0) {
        this.#lent(id, message.readUInt16LE(2), body);
        continue;
      }
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if ((flags & errorFlag) === 0) waiting?.resolve(body);
      else waiting?.reject(new Error(`errno ${message.readUInt32LE(12)}`));
    }
  }

  /** A question for memory. */
  #lent(id: number, command: number, body: Buffer): void {
    const at = Number(body.readBigUInt64LE(0));
    const count = Number(body.readBigUInt64LE(8));
    const range = body.subarray(0, 16);
    assert.ok(at + count <= this.#memory.length);
    if (command === Command.dmaWrite) body.subarray(16).copy(this.#memory, at);
    else assert.equal(command, Command.dmaRead);
    const data = command === Command.dmaRead ? this.#memory.subarray(at, at + count) : Buffer.alloc(0);
    this.#send(id, command, replyFlag, Buffer.concat([range, data]));
  }
}

function access(region: number, offset: number, count: number): Buffer {
  const bytes = Buffer.alloc(headerBytes);
  bytes.writeBigUInt64LE(BigInt(offset), 0);
  bytes.writeUInt32LE(region, 8);
  bytes.writeUInt32LE(count, 12);
  return bytes;
}
