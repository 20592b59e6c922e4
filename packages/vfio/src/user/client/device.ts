/**
 * A VFIO device that another process serves, in use by this one: a client of the vfio-user protocol, as a library. When the server goes
 * everything fails with ENODEV, and the eventfds that were given to the device are released.
 */
import type { Socket } from "node:net";
import { Completion, isKernelError, KernelError, type Runtime, type WaitOptions } from "parhelion-core";
import type { DeviceCalls, DeviceReply, DeviceRequest } from "../../device/calls.js";
import { type MapAccess, type OpenDevice, type SharedMemory, sharedBytes } from "../../device/open-device.js";
import { lastIova } from "../../iommu/ioas.js";
import { bytesMemory, type UserMemory } from "../../iommu/user-memory.js";
import { ClientSocket } from "../socket/client-socket.js";
import { PlainIntake } from "../socket/intake.js";
import type { KoffiModule } from "../socket/libc.js";
import { defaultDataBytes, maxWrites, multiWriteBytes, overheadBytes } from "../wire/limits.js";
import { type Agreed, agreeOn, connectTo } from "./connect.js";
import { Conversation } from "./conversation.js";
import { type Lent, LentMemory, SharedFile } from "./lent-memory.js";
import {
  decodeInfo,
  decodeIrqInfo,
  decodeRegionData,
  decodeRegionInfo,
  decodeRegionWritten,
  decodeWritesDone,
  encodeDmaMap,
  encodeDmaUnmap,
  encodeGetInfo,
  encodeGetIrqInfo,
  encodeGetRegionInfo,
  encodeRegionRead,
  encodeRegionWrite,
  encodeWrites,
  smallWriteBytes,
} from "./messages.js";
import { askFeature } from "./migration-stream.js";
import { Native } from "./native.js";
import { defaultCommandMs, defaultConnectMs, type VfioUserConnectOptions } from "./options.js";
import { Triggers } from "./triggers.js";

/** A region's place in the file that the device would be: as far apart as Linux has them (vfio-pci). */
const regionShift = 40n;
/** Least room for an answer that has a chain of capabilities, and most that is asked for. */
const mostInfoBytes = 64 * 1024;
const nothing = (): undefined => undefined;

export interface DeviceWrite {
  /** That of the file, as for WRITE. */
  readonly offset: bigint;
  readonly bytes: Uint8Array;
}

interface Parts {
  readonly runtime: Runtime;
  readonly native: Native | null;
  readonly messages: ClientSocket;
  readonly conversation: Conversation;
  readonly memory: LentMemory;
  readonly triggers: Triggers;
  readonly agreed: Agreed;
  readonly ended: Completion<string>;
}

export class VfioUserDevice implements OpenDevice {
  readonly name: string;
  readonly #parts: Parts;
  #state: "open" | "closed" = "open";

  private constructor(name: string, parts: Parts) {
    this.name = name;
    this.#parts = parts;
  }

  /**
   * Connects to a served device, which is open when this settles.
   * @throws KernelError ENOENT, ECONNREFUSED nobody serves it; EBUSY it has a client; EACCES; EPROTO another version of the protocol;
   * ENODEV the server hung up; ETIMEDOUT
   */
  static async connect(
    runtime: Runtime,
    socketPath: string,
    options: VfioUserConnectOptions = {},
  ): Promise<VfioUserDevice> {
    const { koffi, connectMs = defaultConnectMs, commandMs = defaultCommandMs } = options;
    const deadline = runtime.clock.now() + connectMs;
    const socket = await connectTo(runtime, socketPath, { deadline });
    const native = nativeOf(koffi, (error) => runtime.log("warn", "vfio-user.no-descriptors", { error }));
    const memory = new LentMemory();
    const ended = new Completion<string>(runtime, `end of ${socketPath}`);
    const messages = messagesOf(runtime, socket);
    const made: { triggers: Triggers | null } = { triggers: null };
    const conversation: Conversation = new Conversation({
      runtime,
      name: socketPath,
      socket,
      messages,
      native,
      commandMs,
      serve: (command, body) => memory.serve(command, body, defaultDataBytes),
      ended: () => {
        made.triggers?.release();
        memory.removeAll(null);
        native?.end();
        ended.completeAll(conversation.over?.message ?? "");
      },
    });
    conversation.start();
    try {
      const agreed = await agreeOn(conversation, socketPath, { deadline });
      const mostFds = agreed.server.maxMessageFds;
      const triggers = new Triggers({ runtime, name: socketPath, conversation, socket, native, mostFds });
      made.triggers = triggers;
      const parts = { runtime, native, messages, conversation, memory, triggers, agreed, ended };
      return new VfioUserDevice(socketPath, parts);
    } catch (error) {
      conversation.end(
        isKernelError(error) ? error : new KernelError("ENODEV", socketPath, { cause: error }),
      );
      await messages.close();
      throw error;
    }
  }

  /** "lost": the server is gone, or has taken the device away. */
  get state(): "open" | "lost" | "closed" {
    if (this.#state === "closed") return "closed";
    return this.#parts.conversation.over === null ? "open" : "lost";
  }

  /** How memory that is shared gets to the server, and whether there are interrupts. */
  get descriptors(): "passed" | "none" {
    const { native, agreed } = this.#parts;
    return native !== null && agreed.server.maxMessageFds > 0 ? "passed" : "none";
  }

  /** Settles when the connection has ended, whoever ended it, and says why. @throws KernelError ETIMEDOUT */
  ended(options?: WaitOptions): Promise<string> {
    return this.#parts.ended.wait(options);
  }

  /** What the protocol has not (IOCTL, and what binds files) is ENOTTY. @throws KernelError as the call; ENODEV, EBADF, ETIMEDOUT */
  async call<K extends keyof DeviceCalls>(
    op: K,
    argument: DeviceCalls[K]["request"],
    options?: WaitOptions,
  ): Promise<DeviceCalls[K]["reply"]> {
    return (await this.#ask({ op, ...argument } as DeviceRequest, options)) as DeviceCalls[K]["reply"];
  }

  /**
   * Writes one after the other, in as few messages as there can be.
   * @returns how many were done: what follows one that fails is not @throws KernelError what the first one fails with
   */
  async writeAll(writes: readonly DeviceWrite[], options?: WaitOptions): Promise<number> {
    const { conversation, agreed } = this.#parts;
    const isSmall = writes.every(({ bytes }) => bytes.length <= multiWriteBytes);
    if (!isSmall || agreed.server.writeMultiple === "unsupported") return this.#writeEach(writes, options);
    const batch = Math.max(1, Math.min(maxWrites, Math.floor((agreed.dataBytes - 8) / smallWriteBytes)));
    for (let done = 0; done < writes.length; ) {
      const some = writes
        .slice(done, done + batch)
        .map(({ offset, bytes }) => ({ ...placeOf(offset), bytes }));
      const decode = (body: Uint8Array): number => decodeWritesDone(body, some.length);
      const count = await conversation.ask("REGION_WRITE_MULTI", encodeWrites(some), decode, options);
      done += count;
      if (count < some.length) return done;
    }
    return writes.length;
  }

  /** The server asks for it by messages. @throws KernelError EEXIST, EINVAL, ENOSPC */
  async map(
    iova: bigint,
    length: bigint,
    memory: UserMemory,
    access: MapAccess = "read-write",
    vaddr = 0n,
    options?: WaitOptions,
  ): Promise<void> {
    await this.#lend({ iova, size: length, access, memory, vaddr }, [], options);
  }

  /** In a file that both have open, where descriptors can be passed; else as `map`. @throws KernelError as `map` */
  async share(
    iova: bigint,
    length: number,
    access: MapAccess = "read-write",
    options?: WaitOptions,
  ): Promise<SharedMemory> {
    const { native } = this.#parts;
    const lent = { iova, size: BigInt(length), access, vaddr: 0n };
    if (native === null || this.descriptors === "none") {
      const bytes = new Uint8Array(length);
      await this.#lend({ ...lent, memory: bytesMemory(bytes) }, [], options);
      return sharedBytes(bytes);
    }
    const file = new SharedFile(native, length);
    await this.#lend({ ...lent, memory: file, end: () => file.end() }, [file.fd], options);
    return file;
  }

  async unmap(iova: bigint, length: bigint, options?: WaitOptions): Promise<bigint> {
    const { conversation, memory } = this.#parts;
    const range = iova === 0n && length === lastIova ? null : { iova, size: length };
    this.#check();
    const decode = (body: Uint8Array): bigint => (body.length >= 24 ? sizeIn(body) : length);
    const bytes = await conversation.ask("DMA_UNMAP", encodeDmaUnmap(range), decode, options);
    memory.removeAll(range);
    return bytes;
  }

  /** Hangs up: what is under way fails with EBADF. Idempotent. */
  async close(): Promise<void> {
    const { conversation, messages } = this.#parts;
    this.#state = "closed";
    conversation.end(new KernelError("EBADF", `${this.name} was closed`));
    await messages.close();
  }

  async #ask(request: DeviceRequest, options?: WaitOptions): Promise<DeviceReply> {
    this.#check();
    const { conversation, triggers, agreed } = this.#parts;
    switch (request.op) {
      case "GET_INFO":
        return conversation.ask("DEVICE_GET_INFO", encodeGetInfo(request.argsz), decodeInfo, options);
      case "GET_REGION_INFO": {
        const { argsz, index } = request;
        const body = encodeGetRegionInfo(Math.min(argsz, mostInfoBytes), index);
        const decode = (answer: Uint8Array) => decodeRegionInfo(answer, index, BigInt(index) << regionShift);
        return conversation.ask("DEVICE_GET_REGION_INFO", body, decode, options);
      }
      case "GET_IRQ_INFO": {
        const { argsz, index } = request;
        const decode = (answer: Uint8Array) => decodeIrqInfo(answer, index);
        return conversation.ask("DEVICE_GET_IRQ_INFO", encodeGetIrqInfo(argsz, index), decode, options);
      }
      case "SET_IRQS":
        return triggers.set(request, options);
      case "RESET":
        return conversation.ask("DEVICE_RESET", new Uint8Array(), nothing, options);
      case "FEATURE":
        if (request.argsz > agreed.dataBytes)
          throw new KernelError(
            "E2BIG",
            `FEATURE: argsz ${request.argsz}; ${agreed.dataBytes} were agreed on`,
          );
        return askFeature(conversation, request, agreed.dataBytes, options);
      case "READ":
        return this.#read(request.offset, request.length, options);
      case "WRITE":
        return this.#write(request.offset, request.bytes, options);
      case "IOCTL":
      case "BIND_IOMMUFD":
      case "ATTACH_IOMMUFD_PT":
      case "DETACH_IOMMUFD_PT":
        throw new KernelError(
          "ENOTTY",
          `${this.name}: ${request.op} is nothing that can be asked through a socket`,
        );
    }
  }

  /** In pieces that a message takes. */
  async #read(offset: bigint, length: number, options?: WaitOptions): Promise<Uint8Array> {
    const { conversation, agreed } = this.#parts;
    const place = placeOf(offset);
    const piece = async (at: number): Promise<Uint8Array> => {
      const count = Math.min(length - at, agreed.dataBytes);
      const body = encodeRegionRead(place.region, place.offset + BigInt(at), count);
      return conversation.ask("REGION_READ", body, (answer) => decodeRegionData(answer, count), options);
    };
    const first = await piece(0);
    if (first.length === length) return first;
    const bytes = new Uint8Array(length);
    bytes.set(first);
    let at = first.length;
    for (let last = first; at < length && last.length === agreed.dataBytes; at += last.length) {
      last = await piece(at);
      bytes.set(last, at);
    }
    return bytes.subarray(0, at);
  }

  async #write(offset: bigint, bytes: Uint8Array, options?: WaitOptions): Promise<number> {
    const { conversation, agreed } = this.#parts;
    const place = placeOf(offset);
    let done = 0;
    do {
      const data = bytes.subarray(done, done + agreed.dataBytes);
      const body = encodeRegionWrite(place.region, place.offset + BigInt(done), data);
      const decode = (answer: Uint8Array): number => decodeRegionWritten(answer, data.length);
      const taken = await conversation.ask("REGION_WRITE", body, decode, options);
      done += taken;
      if (taken < data.length) break;
    } while (done < bytes.length);
    return done;
  }

  async #writeEach(writes: readonly DeviceWrite[], options?: WaitOptions): Promise<number> {
    for (const [done, { offset, bytes }] of writes.entries()) {
      try {
        if ((await this.call("WRITE", { offset, bytes }, options)) < bytes.length) return done;
      } catch (error) {
        if (done === 0) throw error;
        return done;
      }
    }
    return writes.length;
  }

  /** It is lent before the server knows: it may ask at once. */
  async #lend(lent: Lent, fds: readonly number[], options?: WaitOptions): Promise<void> {
    const { conversation, memory } = this.#parts;
    try {
      this.#check();
      memory.add(lent);
    } catch (error) {
      lent.end?.();
      throw error;
    }
    try {
      const body = encodeDmaMap(lent.iova, lent.size, lent.access);
      await conversation.ask("DMA_MAP", body, nothing, options, fds);
    } catch (error) {
      memory.remove(lent);
      throw error;
    }
  }

  #check(): void {
    const { over } = this.#parts.conversation;
    if (over !== null) throw over;
  }
}

function placeOf(offset: bigint): { readonly region: number; readonly offset: bigint } {
  return { region: Number(offset >> regionShift), offset: offset & ((1n << regionShift) - 1n) };
}

function sizeIn(unmapped: Uint8Array): bigint {
  return new DataView(unmapped.buffer, unmapped.byteOffset).getBigUint64(16, true);
}

function messagesOf(runtime: Runtime, socket: Socket): ClientSocket {
  // No descriptors come from a server, so there are none to close.
  return new ClientSocket(
    runtime,
    socket,
    new PlainIntake(socket),
    overheadBytes + defaultDataBytes,
    nothing,
  );
}

function nativeOf(koffi: KoffiModule | undefined, failed: (error: unknown) => void): Native | null {
  if (koffi === undefined || process.platform !== "linux") return null;
  try {
    return new Native(koffi);
  } catch (error) {
    failed(error);
    return null;
  }
}
