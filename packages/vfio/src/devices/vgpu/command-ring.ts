/**
 * Commands in the driver's memory. The doorbell says how many there are; each is fetched with its request, given to the session,
 * and answered in its slot, in whatever order the answers come. The driver's memory is only reached through what it has mapped.
 */
import { isKernelError, KernelError, type Named, type Runtime } from "parhelion-core";
import type { BusDma } from "../pci/bus-master.js";
import type { VgpuReply } from "./vgpu-backend.js";
import { CommandSlot, MOST_COMMAND_BYTES } from "./vgpu-registers.js";

/** One command as it stands in its slot. */
export interface RingCommand {
  readonly channel: number;
  readonly type: number;
  readonly process: number;
  readonly body: Uint8Array;
}

export interface CommandRingInit {
  readonly runtime: Runtime;
  readonly name: string;
  readonly dma: BusDma;
  /** Never rejects. */
  readonly serve: (command: RingCommand) => Promise<VgpuReply>;
  readonly base: bigint;
  /** A power of two. */
  readonly slots: number;
  answered(): void;
  /** The driver's memory can't be used, or says what can't be. Called once; nothing more is done then. */
  failed(error: unknown): void;
}

export class CommandRing implements Named {
  readonly name: string;
  readonly #init: CommandRingInit;
  /** Counts, modulo 2^32: fetched from the ring, and answered. */
  #fetched = 0;
  #answered = 0;
  #state: "on" | "off" = "on";

  constructor(init: CommandRingInit) {
    this.name = init.name;
    this.#init = init;
  }

  get answered(): number {
    this.#access("read");
    return this.#answered;
  }

  /** @param put how many commands the driver has ever put in, modulo 2^32 */
  ring(put: number): void {
    this.#access("write");
    if (this.#state === "off") return;
    const { runtime, slots } = this.#init;
    const added = (put - this.#fetched) >>> 0;
    const underWay = (this.#fetched - this.#answered) >>> 0;
    if (added + underWay > slots) {
      const what = `${added} more commands and ${underWay} under way in ${slots} slots`;
      this.#fail(new KernelError("EOVERFLOW", `${this.name}: ${what}`));
      return;
    }
    for (let i = 0; i < added; i++) {
      const slot = this.#fetched % slots;
      this.#fetched = (this.#fetched + 1) >>> 0;
      runtime.scheduler.spawn(`command in slot ${slot} of ${this.name}`, () => this.#run(slot));
    }
  }

  /** Nothing is written to the driver's memory any more. */
  off(): void {
    this.#access("write");
    this.#state = "off";
  }

  async #run(slot: number): Promise<void> {
    try {
      await this.#serve(this.#init.base + BigInt(slot * CommandSlot.bytes));
    } catch (error) {
      // The user has gone: there is nobody to tell.
      if (isKernelError(error, "ENODEV")) this.off();
      else this.#fail(error);
    }
  }

  async #serve(at: bigint): Promise<void> {
    const { dma, serve } = this.#init;
    const head = viewOf(await dma.read(at, CommandSlot.status));
    const requestBytes = bounded(head.getUint32(CommandSlot.requestBytes, true), "a request");
    const room = bounded(head.getUint32(CommandSlot.replyRoom, true), "a reply");
    const requestBase = head.getBigUint64(CommandSlot.requestBase, true);
    const body = requestBytes === 0 ? new Uint8Array() : await dma.read(requestBase, requestBytes);
    if (this.#isOff) return;
    const reply = await serve({
      channel: head.getUint32(CommandSlot.channel, true),
      type: head.getUint32(CommandSlot.type, true),
      process: head.getUint32(CommandSlot.process, true),
      body: body.slice(),
    });
    await this.#answer(at, head.getBigUint64(CommandSlot.replyBase, true), room, reply);
  }

  async #answer(at: bigint, base: bigint, room: number, { status, body }: VgpuReply): Promise<void> {
    const { dma, answered } = this.#init;
    const fits = body.length <= room;
    const bytes = fits || status < 0 ? body.subarray(0, room) : new Uint8Array();
    if (this.#isOff) return;
    if (bytes.length > 0) await dma.write(base, bytes);
    const tail = viewOf(new Uint8Array(CommandSlot.done - CommandSlot.status));
    tail.setInt32(0, fits || status < 0 ? status : bufferTooSmall, true);
    tail.setUint32(CommandSlot.replyBytes - CommandSlot.status, bytes.length, true);
    if (this.#isOff) return;
    await dma.write(at + BigInt(CommandSlot.status), new Uint8Array(tail.buffer));
    if (this.#isOff) return;
    // Whoever sees it sees all of the above.
    await dma.write(at + BigInt(CommandSlot.done), Uint8Array.of(1, 0, 0, 0));
    this.#access("write");
    if (this.#state === "off") return;
    this.#answered = (this.#answered + 1) >>> 0;
    answered();
  }

  get #isOff(): boolean {
    this.#access("read");
    return this.#state === "off";
  }

  #fail(error: unknown): void {
    if (this.#isOff) return;
    this.off();
    this.#init.failed(error);
  }

  #access(mode: "read" | "write"): void {
    this.#init.runtime.scheduler.access(this, mode);
  }
}

/** STATUS_BUFFER_TOO_SMALL, as a signed number: the reply had no room. */
const bufferTooSmall = 0xc000_0023 | 0;

/** @throws KernelError EMSGSIZE */
function bounded(bytes: number, what: string): number {
  if (bytes <= MOST_COMMAND_BYTES) return bytes;
  throw new KernelError("EMSGSIZE", `${what} of ${bytes} bytes; ${MOST_COMMAND_BYTES} at most`);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
