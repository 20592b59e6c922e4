/**
 * One device's way into the address spaces of its user: open between its first open and its last close, and attached to
 * at most one space. When it is closed whatever waits for the user ends at once, so a device can be taken away from a
 * user who does not answer.
 */
import { Completion, type ErrnoCode, invoke, KernelError, type Named, type Runtime } from "parhelion-core";
import type { DeviceDma, PinnedRange } from "./dma.js";
import { type Ioas, type IoasAccess, lastIova } from "./ioas.js";
import type { IovaMapping } from "./mapping.js";
import { Pin, type PinAccess, type Segment } from "./pin.js";

type Want = "read" | "write" | "read-write";

/** As many as Linux pins at once: 512 pages (VFIO_PIN_PAGES_MAX_ENTRIES). */
export const maxPinnedBytes = 512 * 4096;

/** What the driver is asked when pinned memory is to go. */
export type DmaUnmap = (iova: bigint, length: bigint) => void | Promise<void>;

export class DmaAccess implements DeviceDma, PinAccess, IoasAccess, Named {
  readonly name: string;
  readonly #runtime: Runtime;
  readonly #unmap: DmaUnmap;
  readonly #pending = new Set<Completion<unknown>>();
  readonly #pins = new Set<Pin>();
  #state: "open" | "closed" = "closed";
  #device: "moves" | "stands still" = "moves";
  #ioas: Ioas | null = null;
  /** Hears of every write: the device's own log of them. */
  #wrote: ((iova: bigint, length: number) => void) | null = null;

  constructor(runtime: Runtime, name: string, unmap: DmaUnmap) {
    this.#runtime = runtime;
    this.name = name;
    this.#unmap = unmap;
  }

  get ioas(): Ioas | null {
    this.touch("read");
    return this.#ioas;
  }

  open(): void {
    this.touch("write");
    this.#state = "open";
  }

  /** From now on there is another address space, or none. What was pinned in the former is taken. */
  attach(ioas: Ioas | null): void {
    this.touch("write");
    if (this.#ioas === ioas) return;
    this.#drop("EFAULT", `${this.name} was detached from ${this.#ioas?.name ?? "nothing"}`);
    this.#ioas?.leave(this);
    this.#ioas = ioas;
    ioas?.join(this);
  }

  /** Nothing reaches the user from here on, and nothing waits for the user. */
  close(): void {
    this.touch("write");
    this.#state = "closed";
    this.#drop("ENODEV", `${this.name}: its device is not open any more`);
    this.#ioas?.leave(this);
    this.#ioas = null;
    this.#wrote = null;
  }

  /** The device stands still: what it does with its user's memory ends, and what it pinned stays pinned. */
  halt(): void {
    this.touch("write");
    this.#device = "stands still";
    this.#endPending("EBUSY", `${this.name}: its device stands still`);
  }

  resume(): void {
    this.touch("write");
    this.#device = "moves";
  }

  assertMoves(): void {
    if (this.#device === "moves") return;
    throw new KernelError("EBUSY", `${this.name}: its device stands still, and must not do DMA`);
  }

  /** @param wrote hears of writes; null: nobody does */
  logWrites(wrote: ((iova: bigint, length: number) => void) | null): void {
    this.touch("write");
    this.#wrote = wrote;
    if (wrote !== null) for (const pin of this.#pins) this.#logPin(pin, wrote);
  }

  /** Has what is pinned for writing logged as written again. */
  logPins(): void {
    if (this.#wrote !== null) for (const pin of this.#pins) this.#logPin(pin, this.#wrote);
  }

  async read(iova: bigint, length: number): Promise<Uint8Array> {
    await this.#runtime.scheduler.yield("dma.read", this);
    if (length === 0) this.#space();
    let bytes: Uint8Array | null = null;
    for (let at = 0; at < length; ) {
      const segment = this.#segment(at === 0 ? iova : iova + BigInt(at), length - at, "read");
      const shared = this.#shared(segment);
      if (shared !== null && segment.length === length) return shared.slice();
      bytes ??= new Uint8Array(length);
      bytes.set(shared ?? (await this.fetch(segment)), at);
      at += segment.length;
    }
    return bytes ?? new Uint8Array();
  }

  async write(iova: bigint, bytes: Uint8Array): Promise<void> {
    await this.#runtime.scheduler.yield("dma.write", this);
    for (let at = 0; at < bytes.length; ) {
      const segment = this.#segment(iova + BigInt(at), bytes.length - at, "write");
      await this.store(segment, bytes.subarray(at, at + segment.length));
      at += segment.length;
    }
    if (bytes.length === 0) this.#space();
  }

  view(iova: bigint, length: number, access: "read" | "write"): Uint8Array | null {
    const segment = this.#segment(iova, length, access);
    const { mapping } = segment;
    if (segment.length < length) return null;
    const bytes = mapping.memory.view?.(mapping.vaddr + (iova - mapping.iova), length) ?? null;
    if (bytes !== null && access === "write") this.#written(segment);
    return bytes;
  }

  pin(iova: bigint, length: number, access: Want): PinnedRange {
    if (!(Number.isSafeInteger(length) && length > 0)) {
      throw new KernelError("EINVAL", `pin ${length} bytes for ${this.name}: at least one`);
    }
    if (length > maxPinnedBytes) {
      throw new KernelError(
        "E2BIG",
        `pin ${length} bytes for ${this.name}: at most ${maxPinnedBytes} at once`,
      );
    }
    const segments: Segment[] = [];
    for (let at = 0; at < length; ) {
      const segment = this.#segment(iova + BigInt(at), length - at, access);
      segments.push(segment);
      at += segment.length;
    }
    this.touch("write");
    const writes = access !== "read";
    const pin = new Pin(segments, writes, this);
    this.#pins.add(pin);
    if (writes) this.#wrote?.(iova, length);
    return pin;
  }

  hasPins(mapping: IovaMapping): boolean {
    return [...this.#pins].some((pin) => mapping.pins.has(pin));
  }

  async recall({ iova, size, name }: IovaMapping): Promise<void> {
    try {
      await invoke(this.#runtime, "dma.unmap", this, () => this.#unmap(iova, size));
    } catch (error) {
      this.#runtime.log("error", "vfio.dma-unmap-failed", { device: this.name, mapping: name, error });
    }
  }

  async fetch(segment: Segment): Promise<Uint8Array> {
    const shared = this.#shared(segment);
    if (shared !== null) return shared.slice();
    const { mapping, iova, length } = segment;
    const vaddr = mapping.vaddr + (iova - mapping.iova);
    const { memory } = mapping;
    const bytes =
      memory.atOnce?.read(vaddr, length) ??
      (await this.#ask(mapping, "fetch", () => memory.read(vaddr, length)));
    if (bytes.length === length) return bytes;
    throw new KernelError("EFAULT", `${mapping.name}: the user gave ${bytes.length} bytes of ${length}`);
  }

  async store(segment: Segment, bytes: Uint8Array): Promise<void> {
    const { mapping, iova, length } = segment;
    const vaddr = mapping.vaddr + (iova - mapping.iova);
    const { memory } = mapping;
    try {
      const shared = memory.view?.(vaddr, length) ?? null;
      if (shared !== null) shared.set(bytes);
      else if (memory.atOnce !== undefined) memory.atOnce.write(vaddr, bytes);
      else await this.#ask(mapping, "store", () => memory.write(vaddr, bytes));
    } finally {
      // Also of one that failed: who knows how far it came.
      this.#written(segment);
    }
  }

  touch(mode: "read" | "write"): void {
    this.#runtime.scheduler.access(this, mode);
  }

  unpinned(pin: Pin): void {
    this.#pins.delete(pin);
    if (this.#wrote !== null) this.#logPin(pin, this.#wrote);
  }

  #logPin(pin: Pin, wrote: (iova: bigint, length: number) => void): void {
    if (pin.writes) wrote(pin.iova, pin.length);
  }

  #written({ mapping, iova, length }: Segment): void {
    mapping.wrote(iova, length);
    this.#wrote?.(iova, length);
  }

  #shared({ mapping, iova, length }: Segment): Uint8Array | null {
    return mapping.memory.view?.(mapping.vaddr + (iova - mapping.iova), length) ?? null;
  }

  /** Waits for the user, but not longer than mapping and access last. */
  async #ask<T>(mapping: IovaMapping, op: string, ask: () => T | Promise<T>): Promise<T> {
    const done = new Completion<T>(this.#runtime, `${op} ${mapping.name} for ${this.name}`);
    this.touch("write");
    mapping.pending.add(done as Completion<unknown>);
    this.#pending.add(done as Completion<unknown>);
    this.#runtime.scheduler.spawn(done.name, async () => {
      try {
        done.completeAll(await invoke(this.#runtime, `dma.${op}`, this, ask));
      } catch (error) {
        done.fail(error);
      }
    });
    try {
      return await done.wait();
    } finally {
      this.touch("write");
      mapping.pending.delete(done as Completion<unknown>);
      this.#pending.delete(done as Completion<unknown>);
    }
  }

  #endPending(code: ErrnoCode, message: string): void {
    const gone = new KernelError(code, message);
    for (const access of this.#pending) access.fail(gone);
    this.#pending.clear();
  }

  #drop(code: ErrnoCode, message: string): void {
    this.#endPending(code, message);
    for (const pin of [...this.#pins]) pin.take();
  }

  #space(): Ioas {
    this.touch("read");
    if (this.#state === "closed") throw new KernelError("ENODEV", `${this.name}: its device is not open`);
    this.assertMoves();
    if (this.#ioas === null) throw new KernelError("EFAULT", `${this.name}: its user has mapped nothing`);
    return this.#ioas;
  }

  /** As much of the range as lies in one mapping. */
  #segment(iova: bigint, length: number, access: Want): Segment {
    const ioas = this.#space();
    const mapping = iova < 0n || iova > lastIova ? undefined : ioas.find(iova);
    if (mapping === undefined || mapping.state === "going") {
      throw new KernelError("EFAULT", `0x${iova.toString(16)} is not mapped in ${ioas.name}`);
    }
    if ((access !== "write" && !mapping.readable) || (access !== "read" && !mapping.writable)) {
      throw new KernelError("EPERM", `${mapping.name} is not for ${access}`);
    }
    const left = mapping.last - iova + 1n;
    return { mapping, iova, length: left < BigInt(length) ? Number(left) : length };
  }
}
