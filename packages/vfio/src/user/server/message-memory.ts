/**
 * Memory of a client that is reached by asking for it, in pieces that the client takes. QEMU puts the data elsewhere than the
 * specification says; until a client has shown what it does, its answers are looked at for that.
 */
import { isKernelError, KernelError } from "parhelion-core";
import type { UserMemory } from "../../iommu/user-memory.js";
import {
  type DmaLayout,
  decodeDmaData,
  decodeDmaWritten,
  encodeDmaRead,
  encodeDmaWrite,
  layoutOf,
} from "../wire/dma.js";
import type { Questions } from "./questions.js";

/** Reads of what changes while it is looked at. */
const mostTries = 8;

export class MessageMemory implements UserMemory {
  readonly #questions: Questions;
  readonly #pieceBytes: number;
  readonly #base: bigint;
  readonly #iova: bigint;

  /** @param pieceBytes most data in one message. @param base the address of the byte that the client knows as `iova` */
  constructor(questions: Questions, pieceBytes: number, base: bigint, iova: bigint) {
    this.#questions = questions;
    this.#pieceBytes = pieceBytes;
    this.#base = base;
    this.#iova = iova;
  }

  async read(vaddr: bigint, length: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length; at += this.#pieceBytes) {
      const count = Math.min(this.#pieceBytes, length - at);
      bytes.set(await this.#read(this.#iovaOf(vaddr, at), count), at);
    }
    return bytes;
  }

  async write(vaddr: bigint, bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; at += this.#pieceBytes)
      await this.#write(this.#iovaOf(vaddr, at), bytes.subarray(at, at + this.#pieceBytes));
  }

  async #read(iova: bigint, count: number): Promise<Uint8Array> {
    for (let tries = 0; tries < mostTries; tries += 1) {
      const answer = await this.#questions.ask("DMA_READ", encodeDmaRead(iova, count), count);
      const at = this.#questions.layout === "unknown" ? this.#look(answer, count) : -1;
      if (at >= 0) await this.#learn(iova, at, count);
      // Zeros are zeros in both. Else what could have told is gone: the answer has it, who knows where.
      if (at < 0 || this.#questions.layout !== "unknown")
        return decodeDmaData(answer, iova, count, this.#layout);
    }
    throw new KernelError(
      "EFAULT",
      `DMA_READ of ${count} bytes at 0x${iova.toString(16)}: they change before it is known how the client has them`,
    );
  }

  async #write(iova: bigint, piece: Uint8Array): Promise<void> {
    if (this.#questions.layout === "unknown" && this.#questions.client === "answers anything")
      await this.#learnToWrite(iova, piece);
    const answer = await this.#put(iova, piece);
    if (this.#questions.layout === "unknown" && (await this.#learnFrom(answer, iova, piece)) === "short")
      await this.#put(iova, piece);
  }

  /** What is said of where a write went. QEMU answers with nothing, and took the upper half of the count for data. */
  async #learnFrom(answer: Uint8Array, iova: bigint, piece: Uint8Array): Promise<Questions["layout"]> {
    if (answer.length > 0) this.#learned("specified");
    else await this.#tryRead(iova, piece.length);
    if (piece.some((byte) => byte !== 0)) this.#learned("short");
    return this.#questions.layout;
  }

  /** @returns what the answer has after its header */
  async #put(iova: bigint, piece: Uint8Array): Promise<Uint8Array> {
    const body = encodeDmaWrite(iova, piece, this.#layout);
    const answer = await this.#questions.ask("DMA_WRITE", body, piece.length);
    decodeDmaWritten(answer, iova, piece.length);
    return answer;
  }

  /** An answer that leaves open which layout the client has: asks for so few bytes that the next one does not. */
  async #learn(iova: bigint, at: number, count: number): Promise<void> {
    for (const from of [at - 4, at]) {
      if (this.#questions.layout !== "unknown") return;
      const few = Math.min(4, count - from);
      const again = encodeDmaRead(iova + BigInt(from), few);
      this.#look(await this.#questions.ask("DMA_READ", again, few), few);
    }
  }

  /**
   * Data that are put where they do not belong are seen there before they could be put right. So what is there is asked for; where
   * that are zeros, they stay so if one byte of the data goes astray: QEMU takes a zero for it, and answers with nothing.
   */
  async #learnToWrite(iova: bigint, piece: Uint8Array): Promise<void> {
    const at = piece.findIndex((byte) => byte !== 0);
    if (at < 0) return;
    await this.#tryRead(iova, piece.length);
    if (this.#questions.layout !== "unknown") return;
    const one = piece.subarray(at, at + 1);
    await this.#learnFrom(await this.#put(iova + BigInt(at), one), iova + BigInt(at), one);
  }

  /** Of memory that may only be written nothing is learned. */
  async #tryRead(iova: bigint, count: number): Promise<void> {
    try {
      await this.#read(iova, count);
    } catch (error) {
      if (!isKernelError(error, "EFAULT")) throw error;
    }
  }

  #learned(layout: DmaLayout): void {
    if (this.#questions.layout === "unknown") this.#questions.layout = layout;
  }

  /** @returns where something begins that is not zero, where the answer leaves the layout open; else -1 */
  #look(answer: Uint8Array, count: number): number {
    const { layout, at } = layoutOf(answer, count);
    if (layout !== "unknown") this.#learned(layout);
    return layout === "unknown" ? at : -1;
  }

  get #layout(): DmaLayout {
    const { layout } = this.#questions;
    return layout === "unknown" ? "specified" : layout;
  }

  #iovaOf(vaddr: bigint, at: number): bigint {
    return vaddr - this.#base + this.#iova + BigInt(at);
  }
}
