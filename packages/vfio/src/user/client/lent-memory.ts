/** What a client has lent to the device, by address, and the answers to the server's questions for it. */
import { KernelError } from "parhelion-core";
import type { MapAccess, SharedMemory } from "../../device/open-device.js";
import type { UserMemory } from "../../iommu/user-memory.js";
import type { CommandName } from "../wire/commands.js";
import { decodeDmaQuestion, encodeDmaData } from "./messages.js";
import { type Native, readAll, writeAll } from "./native.js";

export interface Lent {
  readonly iova: bigint;
  readonly size: bigint;
  readonly access: MapAccess;
  readonly memory: UserMemory;
  /** Where in the memory it begins. */
  readonly vaddr: bigint;
  /** It is not lent any more. */
  end?(): void;
}

/** Memory in a file that has no name, which both have open. */
export class SharedFile implements SharedMemory, UserMemory {
  readonly length: number;
  readonly fd: number;
  readonly #native: Native;
  #state: "shared" | "ended" = "shared";

  /** @throws the system's error */
  constructor(native: Native, length: number) {
    this.length = length;
    this.#native = native;
    this.fd = native.createMemory("parhelion", length);
  }

  read(at: number, into: Uint8Array): void;
  read(vaddr: bigint, length: number): Uint8Array;
  read(at: number | bigint, into: Uint8Array | number): Uint8Array {
    const bytes = typeof into === "number" ? new Uint8Array(into) : into;
    if (!readAll(this.fd, this.#within(at, bytes.length), bytes))
      throw new KernelError("EFAULT", `${bytes.length} bytes at ${at}: somebody has cut the shared memory`);
    return bytes;
  }

  write(at: number | bigint, bytes: Uint8Array): void {
    writeAll(this.fd, this.#within(at, bytes.length), bytes);
  }

  end(): void {
    if (this.#state === "ended") return;
    this.#state = "ended";
    this.#native.close(this.fd);
  }

  #within(at: number | bigint, length: number): number {
    if (this.#state === "ended") throw new KernelError("EFAULT", "this memory is not shared any more");
    const offset = Number(at);
    if (offset >= 0 && offset + length <= this.length) return offset;
    throw new RangeError(`${length} bytes at ${at} of ${this.length} that are shared`);
  }
}

export class LentMemory {
  readonly #lent = new Map<bigint, Lent>();

  /** @throws KernelError EEXIST */
  add(lent: Lent): void {
    const there = this.#overlapping(lent.iova, lent.size)[0];
    if (there !== undefined) {
      const range = `${lent.size} bytes at 0x${lent.iova.toString(16)}`;
      throw new KernelError("EEXIST", `${range} overlap ${there.size} at 0x${there.iova.toString(16)}`);
    }
    this.#lent.set(lent.iova, lent);
  }

  remove(lent: Lent): void {
    this.#lent.delete(lent.iova);
    lent.end?.();
  }

  /** @param range null: all */
  removeAll(range: { readonly iova: bigint; readonly size: bigint } | null): void {
    const going = range === null ? [...this.#lent.values()] : this.#overlapping(range.iova, range.size);
    for (const lent of going) this.remove(lent);
  }

  /** @param most bytes of one answer @throws KernelError EOPNOTSUPP it is no question for memory, EINVAL, EFAULT nothing is lent there */
  async serve(command: CommandName, body: Uint8Array, most: number): Promise<Uint8Array> {
    if (command !== "DMA_READ" && command !== "DMA_WRITE")
      throw new KernelError("EOPNOTSUPP", `${command} is the client's to send`);
    const question = decodeDmaQuestion(command, body, most);
    const { iova, count, data } = question;
    const lent = this.#overlapping(iova, BigInt(count))[0];
    const denied = command === "DMA_READ" ? "write" : "read";
    const inside = lent !== undefined && iova >= lent.iova && iova + BigInt(count) <= lent.iova + lent.size;
    if (!inside || lent.access === denied)
      throw new KernelError(
        "EFAULT",
        `${command} of ${count} bytes at 0x${iova.toString(16)}: not lent for that`,
      );
    const vaddr = lent.vaddr + (iova - lent.iova);
    if (command === "DMA_READ") return encodeDmaData(question, await lent.memory.read(vaddr, count));
    await lent.memory.write(vaddr, data);
    return encodeDmaData(question, new Uint8Array());
  }

  #overlapping(iova: bigint, size: bigint): readonly Lent[] {
    return [...this.#lent.values()].filter((lent) => lent.iova < iova + size && iova < lent.iova + lent.size);
  }
}
