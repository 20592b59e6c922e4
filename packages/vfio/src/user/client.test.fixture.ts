/**
 * A client of the vfio-user protocol that knows nothing of the server's code: it was written from the protocol's description, and
 * puts its messages together by hand.
 */
import assert from "node:assert/strict";
import { closeSync, openSync, readSync, writeSync } from "node:fs";
import { connect, type Socket } from "node:net";
import koffi from "koffi";

export interface Reply {
  readonly id: number;
  readonly command: number;
  readonly flags: number;
  /** 0 where the reply says that there was no error. */
  readonly errno: number;
  readonly body: Buffer;
}

export type Field = readonly ["u8" | "u16" | "u32" | "u64", number | bigint] | Uint8Array;

/** A structure out of little-endian fields. */
export function struct(...fields: readonly Field[]): Buffer {
  return Buffer.concat(
    fields.map((field) => {
      if (field instanceof Uint8Array) return field;
      const [kind, value] = field;
      const bytes = Buffer.alloc({ u8: 1, u16: 2, u32: 4, u64: 8 }[kind]);
      if (kind === "u64") bytes.writeBigUInt64LE(BigInt(value));
      else bytes.writeUIntLE(Number(value), 0, bytes.length);
      return bytes;
    }),
  );
}

export function message(id: number, command: number, flags: number, body: Uint8Array, errno = 0): Buffer {
  const size = 16 + body.length;
  return struct(["u16", id], ["u16", command], ["u32", size], ["u32", flags], ["u32", errno], body);
}

export const versionBody = (capabilities: object | null = {}, major = 0, minor = 2): Buffer =>
  struct(
    ["u16", major],
    ["u16", minor],
    capabilities === null ? Buffer.alloc(0) : Buffer.from(`${JSON.stringify({ capabilities })}\0`),
  );

/** Memory of the client by iova, for servers that ask for it. */
export interface Lent {
  readonly iova: bigint;
  readonly bytes: Buffer;
}

export class Client {
  readonly #socket: Socket;
  readonly #replies = new Map<number, (reply: Reply) => void>();
  readonly #gone: Promise<void>;
  /** Every command of the server, as [command, iova, count]. */
  readonly asked: (readonly [number, bigint, number])[] = [];
  /** Replies that nobody waited for. */
  readonly unexpected: Reply[] = [];
  lent: Lent[] = [];
  /** "errors": every question for memory is refused. "silent": none is answered. */
  manners: "helpful" | "errors" | "silent" = "helpful";
  /** "short": data stand behind a count of 4 bytes, and a DMA_WRITE is answered with nothing, as by QEMU. */
  layout: "specified" | "short" = "specified";
  /** A command that is refused. */
  refused: number | null = null;
  /** Called after each question that was answered. */
  served: () => void = () => undefined;
  state: "connected" | "gone" = "connected";
  #id = 100;
  #asked: () => void = () => undefined;
  #bytes = Buffer.alloc(0);

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (bytes) => this.#take(bytes));
    socket.on("error", () => undefined);
    this.#gone = new Promise((resolve) =>
      socket.once("close", () => {
        this.state = "gone";
        resolve();
      }),
    );
  }

  static connect(path: string): Promise<Client> {
    return new Promise((resolve, reject) => {
      const socket = connect(path);
      socket.once("error", reject);
      socket.once("connect", () => resolve(new Client(socket)));
    });
  }

  /** Connects and agrees on a version. */
  static async greet(path: string, capabilities: object = { max_msg_fds: 8 }): Promise<Client> {
    const client = await Client.connect(path);
    const reply = await client.call(1, versionBody(capabilities));
    assert.equal(reply.errno, 0);
    return client;
  }

  /** @param fds descriptors to go with it */
  call(command: number, body: Uint8Array, fds: readonly number[] = []): Promise<Reply> {
    this.#id = (this.#id + 1) % 0x1_0000;
    return this.send(this.#id, command, 0, body, fds);
  }

  /** The reply's body, for what must not fail. */
  async must(command: number, body: Uint8Array, fds: readonly number[] = []): Promise<Buffer> {
    const reply = await this.call(command, body, fds);
    assert.equal(reply.errno, 0, `command ${command} failed with errno ${reply.errno}`);
    assert.equal(reply.command, command);
    return reply.body;
  }

  /** The errno, for what must fail. */
  async errno(command: number, body: Uint8Array, fds: readonly number[] = []): Promise<number> {
    const reply = await this.call(command, body, fds);
    assert.equal(reply.flags, 0x21, `command ${command} did not fail`);
    assert.equal(reply.body.length, 0);
    return reply.errno;
  }

  /** A reply never comes once the connection is gone. */
  send(
    id: number,
    command: number,
    flags: number,
    body: Uint8Array,
    fds: readonly number[] = [],
  ): Promise<Reply> {
    const reply = this.expect(id);
    this.raw(message(id, command, flags, body), fds);
    return reply;
  }

  /** The next reply with that id. */
  expect(id: number): Promise<Reply> {
    return new Promise((resolve) => this.#replies.set(id, resolve));
  }

  raw(bytes: Uint8Array, fds: readonly number[] = []): void {
    if (fds.length > 0) sendWithDescriptors(this.#socket, bytes, fds);
    else this.#socket.write(bytes);
  }

  /** Settles when the server asks for memory the next time. */
  toBeAsked(): Promise<void> {
    return new Promise((resolve) => {
      this.#asked = resolve;
    });
  }

  hangUp(): Promise<void> {
    this.#socket.destroy();
    return this.#gone;
  }

  /** Settles when the server has hung up. */
  gone(): Promise<void> {
    return this.#gone;
  }

  pause(): void {
    this.#socket.pause();
  }

  #take(bytes: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, bytes]);
    while (this.#bytes.length >= 16) {
      const size = this.#bytes.readUInt32LE(4);
      assert.ok(size >= 16);
      if (this.#bytes.length < size) return;
      const one = this.#bytes.subarray(0, size);
      this.#bytes = this.#bytes.subarray(size);
      this.#message(one);
    }
  }

  #message(bytes: Buffer): void {
    const flags = bytes.readUInt32LE(8);
    const [id, command, body] = [bytes.readUInt16LE(0), bytes.readUInt16LE(2), bytes.subarray(16)];
    if ((flags & 15) === 0) {
      this.#serve(id, command, body);
      return;
    }
    const errno = (flags & 0x20) === 0 ? 0 : bytes.readUInt32LE(12);
    const reply = { id, command, flags, errno, body };
    const waiting = this.#replies.get(id);
    if (waiting === undefined) this.unexpected.push(reply);
    this.#replies.delete(id);
    waiting?.(reply);
  }

  /** DMA_READ and DMA_WRITE of the server. */
  #serve(id: number, command: number, body: Buffer): void {
    const iova = body.readBigUInt64LE(0);
    const short = this.layout === "short";
    const count = short ? body.readUInt32LE(8) : Number(body.readBigUInt64LE(8));
    this.asked.push([command, iova, count]);
    this.#asked();
    if (this.manners === "silent") return;
    const lent = this.lent.find(
      (some) => iova >= some.iova && iova + BigInt(count) <= some.iova + BigInt(some.bytes.length),
    );
    if (this.manners === "errors" || this.refused === command || lent === undefined) {
      this.raw(message(id, command, 0x21, Buffer.alloc(0), 14));
      return;
    }
    const at = Number(iova - lent.iova);
    const head: Field[] = [
      ["u64", iova],
      ["u64", count],
    ];
    if (short) this.#serveShort(id, command, body, lent.bytes.subarray(at, at + count));
    else if (command === 12) body.subarray(16).copy(lent.bytes, at);
    else head.push(lent.bytes.subarray(at, at + count));
    if (!short) this.raw(message(id, command, 1, struct(...head)));
    this.served();
  }

  /** As QEMU: 4 bytes of a count, and room for 8. */
  #serveShort(id: number, command: number, body: Buffer, memory: Buffer): void {
    if (command === 12) {
      assert.ok(body.length >= 16 + memory.length, "else QEMU says E2BIG");
      body.subarray(12, 12 + memory.length).copy(memory);
      this.raw(message(id, command, 1, Buffer.alloc(0)));
      return;
    }
    const answer = Buffer.concat([body, Buffer.alloc(memory.length)]);
    memory.copy(answer, 12);
    this.raw(message(id, command, 1, answer));
  }
}

const libc = koffi.load("libc.so.6");
const sendmsg = libc.func("int64_t sendmsg(int fd, void *message, int flags)");
const memfdCreate = libc.func("int memfd_create(const char *name, unsigned int flags)");
const eventfdCall = libc.func("int eventfd(unsigned int first, int flags)");
const ftruncate = libc.func("int ftruncate(int fd, int64_t length)");
const closeCall = libc.func("int close(int fd)");
const prlimit = libc.func("int prlimit(int pid, int resource, const void *now, void *before)");

function sendWithDescriptors(socket: Socket, bytes: Uint8Array, fds: readonly number[]): void {
  const { _handle: handle } = socket as unknown as { readonly _handle: { readonly fd: number } };
  assert.equal(socket.writableLength, 0);
  const data = Buffer.from(bytes);
  const vector = struct(["u64", koffi.address(data)], ["u64", data.length]);
  const rights = Buffer.concat(fds.map((fd) => struct(["u32", fd])));
  const control = Buffer.alloc(16 + 8 * Math.ceil(rights.length / 8));
  struct(["u64", 16 + rights.length], ["u32", 1], ["u32", 1], rights).copy(control);
  const header = struct(
    ["u64", 0],
    ["u64", 0],
    ["u64", koffi.address(vector)],
    ["u64", 1],
    ["u64", koffi.address(control)],
    ["u64", control.length],
    ["u64", 0],
  );
  assert.equal(Number(sendmsg(handle.fd, header, 0x4000)), data.length);
}

export function createMemory(size: number): number {
  const fd = memfdCreate("client", 1) as number;
  assert.ok(fd >= 0);
  assert.equal(ftruncate(fd, size), 0);
  return fd;
}

const NONBLOCK = 0x800;
const CLOEXEC = 0x80000;

/** An eventfd that does not wait. */
export function createEventfd(): number {
  const fd = eventfdCall(0, NONBLOCK | CLOEXEC) as number;
  assert.ok(fd >= 0);
  return fd;
}

/** An eventfd whose counter is full: whoever writes to it waits. */
export function createFullEventfd(): number {
  const fd = eventfdCall(0, CLOEXEC) as number;
  writeSync(fd, struct(["u64", 2n ** 64n - 2n]));
  return fd;
}

export function truncate(fd: number, size: number): void {
  assert.equal(ftruncate(fd, size), 0);
}

/** What was signalled since it was last asked. */
export function signalled(eventfd: number): bigint {
  const bytes = Buffer.alloc(8);
  try {
    readSync(eventfd, bytes);
  } catch {
    return 0n;
  }
  return bytes.readBigUInt64LE(0);
}

export const closeFd = (fd: number): void => void closeCall(fd);

const RLIMIT_NOFILE = 7;

/** Runs `body` while this process can have so many descriptors more than it has. */
export async function withoutDescriptors(spare: number, body: () => Promise<void>): Promise<void> {
  const before = Buffer.alloc(16);
  assert.equal(prlimit(0, RLIMIT_NOFILE, null, before), 0);
  const highest = openSync("/dev/null", "r");
  const limits = struct(["u64", highest + 64], ["u64", before.readBigUInt64LE(8)]);
  const taken = [highest];
  assert.equal(prlimit(0, RLIMIT_NOFILE, limits, null), 0);
  try {
    for (;;) taken.push(openSync("/dev/null", "r"));
  } catch {
    // There are no more.
  }
  for (let i = 0; i < spare; i++) closeSync(taken.pop() as number);
  try {
    await body();
  } finally {
    assert.equal(prlimit(0, RLIMIT_NOFILE, before, null), 0);
    for (const fd of taken) closeSync(fd);
  }
}
