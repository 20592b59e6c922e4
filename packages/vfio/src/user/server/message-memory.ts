/** Memory of a client that is reached by asking for it, in pieces that the client takes. */
import type { UserMemory } from "../../iommu/user-memory.js";
import { decodeDmaData, decodeDmaWritten, encodeDmaRead, encodeDmaWrite } from "../wire/dma.js";
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
      const iova = this.#iovaOf(vaddr, at);
      const answer = await this.#questions.ask("DMA_READ", encodeDmaRead(iova, count), count);
      bytes.set(decodeDmaData(answer, iova, count), at);
    }
    return bytes;
  }

  async write(vaddr: bigint, bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; at += this.#pieceBytes) {
      const piece = bytes.subarray(at, at + this.#pieceBytes);
      const iova = this.#iovaOf(vaddr, at);
      const answer = await this.#questions.ask("DMA_WRITE", encodeDmaWrite(iova, piece), piece.length);
      decodeDmaWritten(answer, iova, piece.length);
    }
  }

  #iovaOf(vaddr: bigint, at: number): bigint {
    return vaddr - this.#base + this.#iova + BigInt(at);
  }
}
