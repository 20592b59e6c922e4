/**
 * Memory of a client that is reached by asking for it, in pieces that the client takes. QEMU puts the data elsewhere than the
 * specification says; until a client has shown what it does, its answers are looked at for that.
 */
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
    const answer = await this.#questions.ask("DMA_READ", encodeDmaRead(iova, count), count);
    if (this.#questions.layout === "unknown") await this.#learn(answer, iova, count);
    return decodeDmaData(answer, iova, count, this.#layout);
  }

  async #write(iova: bigint, piece: Uint8Array): Promise<void> {
    const layout = this.#layout;
    const answer = await this.#questions.ask("DMA_WRITE", encodeDmaWrite(iova, piece, layout), piece.length);
    decodeDmaWritten(answer, iova, piece.length);
    if (answer.length > 0) {
      if (this.#questions.layout === "unknown") this.#questions.layout = "specified";
      return;
    }
    // As QEMU answers, who took the upper half of the count for data: what is there now tells, if only by being zeros.
    if (this.#questions.layout === "unknown") await this.#read(iova, piece.length);
    if (this.#questions.layout === "unknown" && piece.some((byte) => byte !== 0))
      this.#questions.layout = "short";
    if (layout !== this.#layout) await this.#write(iova, piece);
  }

  /** Where an answer leaves it open which layout the client has, asks for so few bytes that the next one does not. */
  async #learn(answer: Uint8Array, iova: bigint, count: number): Promise<void> {
    const { at } = this.#look(answer, count);
    for (const from of at < 4 ? [] : [at - 4, at]) {
      if (this.#questions.layout !== "unknown") return;
      const few = Math.min(4, count - from);
      const again = encodeDmaRead(iova + BigInt(from), few);
      this.#look(await this.#questions.ask("DMA_READ", again, few), few);
    }
  }

  #look(answer: Uint8Array, count: number): { readonly at: number } {
    const { layout, at } = layoutOf(answer, count);
    if (this.#questions.layout === "unknown") this.#questions.layout = layout;
    return { at };
  }

  get #layout(): DmaLayout {
    const { layout } = this.#questions;
    return layout === "unknown" ? "specified" : layout;
  }

  #iovaOf(vaddr: bigint, at: number): bigint {
    return vaddr - this.#base + this.#iova + BigInt(at);
  }
}
