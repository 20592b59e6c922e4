/** As much of a vfio-user client as it takes to see that somebody serves a device: it talks in order, and passes no descriptors. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";

const headerBytes = 16;
const Command = { version: 1, regionRead: 9, regionWrite: 10 } as const;
const errorFlag = 0x20;

export class VfioClient {
  readonly #socket: Socket;
  #received = Buffer.alloc(0);
  #id = 0;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (bytes) => {
      this.#received = Buffer.concat([this.#received, bytes]);
    });
    socket.on("error", () => undefined);
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

  /** Resolves when the other end has closed the connection. */
  async gone(): Promise<void> {
    if (!this.#socket.closed) await once(this.#socket, "close");
  }

  close(): void {
    this.#socket.destroy();
  }

  async #ask(command: number, body: Uint8Array): Promise<Buffer> {
    const header = Buffer.alloc(headerBytes);
    this.#id += 1;
    header.writeUInt16LE(this.#id, 0);
    header.writeUInt16LE(command, 2);
    header.writeUInt32LE(headerBytes + body.length, 4);
    this.#socket.write(Buffer.concat([header, body]));
    const head = await this.#take(headerBytes);
    assert.deepEqual([head.readUInt16LE(0), head.readUInt16LE(2)], [this.#id, command]);
    const reply = await this.#take(head.readUInt32LE(4) - headerBytes);
    if ((head.readUInt32LE(8) & errorFlag) !== 0) throw new Error(`errno ${head.readUInt32LE(12)}`);
    return reply;
  }

  async #take(length: number): Promise<Buffer> {
    while (this.#received.length < length) {
      if (this.#socket.closed) throw new Error("the server has closed the connection");
      await Promise.race([once(this.#socket, "data"), once(this.#socket, "close")]);
    }
    const taken = this.#received.subarray(0, length);
    this.#received = this.#received.subarray(length);
    return taken;
  }
}

function access(region: number, offset: number, count: number): Buffer {
  const bytes = Buffer.alloc(headerBytes);
  bytes.writeBigUInt64LE(BigInt(offset), 0);
  bytes.writeUInt32LE(region, 8);
  bytes.writeUInt32LE(count, 12);
  return bytes;
}
