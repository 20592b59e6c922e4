/** What a client has lent to the device: for each mapping the way to its bytes, and the descriptor that is closed with it. */
import { isKernelError, KernelError, type WaitOptions } from "parhelion-core";
import type { AttachedDevice } from "../../iommufd/attached-device.js";
import type { DmaMap, DmaUnmap } from "../wire/dma.js";
import { maxDmaMaps } from "../wire/limits.js";
import { MemoryFile } from "./memory-file.js";
import { MessageMemory } from "./message-memory.js";
import type { Questions } from "./questions.js";

/** Descriptors that stay open for one client; the memory of more mappings is asked for by messages. */
const mostFds = 1024;

interface Lent {
  readonly iova: bigint;
  readonly size: bigint;
  /** What it is read and written through; null: messages. */
  readonly file: { readonly fd: number; readonly memory: MemoryFile } | null;
}

export interface ClientMemoryInit {
  readonly user: AttachedDevice;
  readonly questions: Questions;
  /** Most data in one message to the client. */
  readonly pieceBytes: number;
  /** "message": the descriptor of that mapping is not used. */
  way(map: DmaMap): "descriptor" | "message";
  readonly closeFd: (fd: number) => void;
  /** As `Libc.isSealable`. */
  readonly isSealable: (fd: number) => boolean;
}

export class ClientMemory {
  readonly #init: ClientMemoryInit;
  readonly #lent = new Map<bigint, Lent>();
  /** Of these: what was to be unmapped and was not in time. It may be by now. */
  readonly #late = new Set<Lent>();
  #fds = 0;

  constructor(init: ClientMemoryInit) {
    this.#init = init;
  }

  /** @param fd owned from here on. @throws KernelError EINVAL, EEXIST it overlaps, ENOSPC too many, and as `AttachedDevice.map` */
  async map(map: DmaMap, fd: number | null, options: WaitOptions): Promise<void> {
    const { iova, size, offset, access } = map;
    const { user, questions, pieceBytes, closeFd } = this.#init;
    let file: Lent["file"] = null;
    let state: "refused" | "lent" = "refused";
    try {
      if (this.#lent.size >= maxDmaMaps)
        throw new KernelError("ENOSPC", `${maxDmaMaps} mappings, there is room for no more`);
      const asks = fd === null || this.#fds >= mostFds || this.#init.way(map) === "message";
      const way = asks ? "message" : MemoryFile.way(fd, offset, size, this.#init.isSealable(fd));
      if (fd !== null && way === "descriptor") file = { fd, memory: new MemoryFile(fd, iova, offset) };
      const memory = file?.memory ?? new MessageMemory(questions, pieceBytes, iova, iova);
      await user.map(iova, size, memory, access, iova, options);
      state = "lent";
      for (const lent of this.#late) if (overlap(lent, iova, size)) this.#forget(lent);
      if (file !== null) this.#fds += 1;
      this.#lent.set(iova, { iova, size, file });
    } finally {
      // One that took too long may be mapped later.
      if (state === "refused") file?.memory.end();
      if (fd !== null && (state === "refused" || file === null)) closeFd(fd);
    }
  }

  /** @returns how many bytes, 0 where nothing was lent. @throws KernelError EINVAL only some of a mapping is named */
  async unmap({ scope, iova, size }: DmaUnmap, options: WaitOptions): Promise<bigint> {
    const end = iova + size;
    const named = [...this.#lent.values()].filter((lent) => scope === "all" || overlap(lent, iova, size));
    const whole = scope === "all" || named.every((lent) => lent.iova >= iova && lent.iova + lent.size <= end);
    if (!whole) {
      const range = `${size} bytes at 0x${iova.toString(16)}`;
      throw new KernelError("EINVAL", `DMA_UNMAP: ${range} are not whole mappings`);
    }
    let bytes = 0n;
    for (const lent of named) {
      bytes += await this.#unmap(lent, options);
      this.#forget(lent);
    }
    return bytes;
  }

  async #unmap(lent: Lent, options: WaitOptions): Promise<bigint> {
    try {
      return await this.#init.user.unmap(lent.iova, lent.size, options);
    } catch (error) {
      if (this.#late.has(lent) && isKernelError(error, "ENOENT")) return 0n;
      this.#late.add(lent);
      throw error;
    }
  }

  /** The device is closed: nothing reaches the memory any more. */
  close(): void {
    for (const lent of [...this.#lent.values()]) this.#forget(lent);
  }

  #forget(lent: Lent): void {
    this.#lent.delete(lent.iova);
    this.#late.delete(lent);
    if (lent.file === null) return;
    this.#fds -= 1;
    lent.file.memory.end();
    this.#init.closeFd(lent.file.fd);
  }
}

function overlap(lent: Lent, iova: bigint, size: bigint): boolean {
  return lent.iova < iova + size && iova < lent.iova + lent.size;
}
