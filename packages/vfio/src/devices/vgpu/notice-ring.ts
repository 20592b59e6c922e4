/** Notices in the driver's memory: the device puts them in, one after the other, as long as the driver takes them out. */
import { isKernelError, type Named, type Runtime } from "parhelion-core";
import type { BusDma } from "../pci/bus-master.js";
import type { VgpuNotice } from "./vgpu-backend.js";
import { NoticeSlot } from "./vgpu-registers.js";

export interface NoticeRingInit {
  readonly runtime: Runtime;
  readonly name: string;
  readonly dma: BusDma;
  readonly base: bigint;
  /** A power of two. */
  readonly slots: number;
  put(): void;
  lost(): void;
  failed(error: unknown): void;
}

export class NoticeRing implements Named {
  readonly name: string;
  readonly #init: NoticeRingInit;
  /** Counts, modulo 2^32: with a slot of their own, written to it, and taken out by the driver. */
  #placed = 0;
  #put = 0;
  #taken = 0;
  #queue: { readonly slot: number; readonly notice: VgpuNotice }[] = [];
  #writer: "idle" | "writing" = "idle";
  #state: "on" | "off" = "on";

  constructor(init: NoticeRingInit) {
    this.name = init.name;
    this.#init = init;
  }

  get put(): number {
    this.#access("read");
    return this.#put;
  }

  /** @param taken how many notices the driver has ever taken out, modulo 2^32; what can't be is not believed */
  ring(taken: number): void {
    this.#access("write");
    if ((taken - this.#taken) >>> 0 <= (this.#put - this.#taken) >>> 0) this.#taken = taken >>> 0;
  }

  notify(notice: VgpuNotice): void {
    this.#access("write");
    if (this.#state === "off") return;
    const { runtime, slots, lost } = this.#init;
    const full = (this.#placed - this.#taken) >>> 0 >= slots;
    if (full || notice.body.length > NoticeSlot.bytes - NoticeSlot.body) {
      lost();
      return;
    }
    this.#queue.push({ slot: this.#placed % slots, notice });
    this.#placed = (this.#placed + 1) >>> 0;
    if (this.#writer === "writing") return;
    this.#writer = "writing";
    runtime.scheduler.spawn(this.name, () => this.#write());
  }

  off(): void {
    this.#access("write");
    this.#state = "off";
    this.#queue = [];
  }

  async #write(): Promise<void> {
    const { dma, base, put, failed } = this.#init;
    for (;;) {
      this.#access("write");
      const next = this.#queue.shift();
      if (next === undefined) break;
      try {
        await dma.write(base + BigInt(next.slot * NoticeSlot.bytes), encode(next.notice));
      } catch (error) {
        const was = this.#state;
        this.off();
        if (was === "on" && !isKernelError(error, "ENODEV")) failed(error);
        break;
      }
      this.#access("write");
      if (this.#state === "off") break;
      this.#put = (this.#put + 1) >>> 0;
      put();
    }
    this.#writer = "idle";
  }

  #access(mode: "read" | "write"): void {
    this.#init.runtime.scheduler.access(this, mode);
  }
}

function encode({ type, process, body }: VgpuNotice): Uint8Array {
  const bytes = new Uint8Array(NoticeSlot.body + body.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(NoticeSlot.type, type, true);
  view.setUint32(NoticeSlot.process, process, true);
  view.setUint32(NoticeSlot.length, body.length, true);
  bytes.set(body, NoticeSlot.body);
  return bytes;
}
