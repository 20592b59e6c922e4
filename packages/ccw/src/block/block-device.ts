/**
 * A disk behind a subchannel, as blocks: what a guest's driver does, done by a library. It knows the device through the VFIO
 * interface only. One channel program runs at a time; calls wait for each other.
 *
 * What ends without having been done (the path was taken away, somebody halted it, the device was busy) is done again, some
 * times; what can't be done fails with a `BlockError` that says why. A call that fails may have written some of its blocks.
 */
import { Mutex, noDeadline, type Runtime, type System } from "parhelion-core";
import { AttachedDevice, loadKoffi, type OpenDevice, VfioUserDevice } from "parhelion-vfio";
import {
  blockBytes,
  blocksPerTrack,
  countOf,
  type Disk,
  defineExtent,
  diskOf,
  EckdCommand,
  locateRecord,
  orderBytes,
  type Purpose,
} from "./eckd.js";
import { BlockError, isBlockError } from "./error.js";
import { letGo, type OpenedSubchannel, openSubchannel, type SubchannelChoices } from "./opened-subchannel.js";
import { type AreaCommand, maxTransferBlocks } from "./program-area.js";
import type { SubchannelListener } from "./subchannel-user.js";

export interface CcwBlockOptions extends SubchannelListener, SubchannelChoices {
  /** Blocks that one channel program moves, 1 to 252. Default 60: five tracks. */
  readonly transferBlocks?: number;
  /**
   * When the device is asked for back: "close" ends what is under way, and what comes is refused (the default); "keep"
   * waits until it is taken.
   */
  readonly whenRequested?: "close" | "keep";
}

/** Tracks that one channel program formats: with a count for each block its CCWs are as many as may follow each other. */
const formatTracks = 10;
/** A record that is not of the length that blocks have. */
const recordLengthSense1 = 0x08;

interface Parts extends OpenedSubchannel {
  readonly turns: Mutex;
  readonly transferBlocks: number;
}

export class CcwBlockDevice {
  readonly disk: Disk;
  readonly #parts: Parts;
  #state: "open" | "closed" = "open";

  private constructor(parts: Parts, disk: Disk) {
    this.#parts = parts;
    this.disk = disk;
  }

  /**
   * Opens the VFIO device of that name, shares memory with it, and asks what disk it is.
   * @throws KernelError as opening it; EINVAL it is no subchannel @throws BlockError it does not answer
   */
  static async open(system: System, name: string, options: CcwBlockOptions = {}): Promise<CcwBlockDevice> {
    checkTransfer(options.transferBlocks);
    return CcwBlockDevice.use(system.runtime, await AttachedDevice.open(system, name), options);
  }

  /**
   * The same, of a device that another process serves at that socket (`parhelion dasd attach`). Needs koffi: without it there are no
   * interrupts. @throws KernelError as connecting to it; EOPNOTSUPP no interrupts; EINVAL it is no subchannel @throws BlockError
   */
  static async openAt(
    runtime: Runtime,
    socketPath: string,
    options: CcwBlockOptions = {},
  ): Promise<CcwBlockDevice> {
    checkTransfer(options.transferBlocks);
    const device = await VfioUserDevice.connect(runtime, socketPath, { koffi: await loadKoffi() });
    return CcwBlockDevice.use(runtime, device, options);
  }

  /** The same, of a device that is open; it is closed with this, also when this fails. @throws as `open` */
  static async use(
    runtime: Runtime,
    device: OpenDevice,
    options: CcwBlockOptions = {},
  ): Promise<CcwBlockDevice> {
    const { transferBlocks = 60, whenRequested = "close" } = options;
    const made: { it: CcwBlockDevice | null; state: "wanted" | "asked back" } = { it: null, state: "wanted" };
    const giveBack = (): void =>
      runtime.scheduler.spawn(`close ${device.name}`, async () => made.it?.close());
    const listener: SubchannelListener = {
      ...options,
      requested() {
        options.requested?.();
        if (whenRequested === "keep") return;
        made.state = "asked back";
        giveBack();
      },
    };
    try {
      checkTransfer(transferBlocks);
    } catch (error) {
      await letGo(device);
      throw error;
    }
    const parts = await openSubchannel(runtime, device, transferBlocks, listener, options);
    const turns = new Mutex(runtime, `turns of ${device.name}`);
    made.it = new CcwBlockDevice({ ...parts, turns, transferBlocks }, diskOf(parts.characteristics));
    // While it was being opened.
    if (made.state === "asked back") giveBack();
    return made.it;
  }

  /** How many blocks of 4096 bytes there are. */
  get blocks(): number {
    return this.tracks * blocksPerTrack;
  }

  get tracks(): number {
    return this.disk.cylinders * this.disk.heads;
  }

  /** @param first, count of blocks @throws BlockError */
  async read(first: number, count: number): Promise<Uint8Array> {
    this.#check("read", first, count);
    const bytes = new Uint8Array(count * blockBytes);
    await this.#transfers("read", first, count, (at, blocks) => ({
      before: () => {},
      after: () => this.#parts.area.takeBlocks(bytes.subarray(at * blockBytes, (at + blocks) * blockBytes)),
    }));
    return bytes;
  }

  /** Durable when it settles, if the device's writes are. @param bytes whole blocks @throws BlockError */
  async write(first: number, bytes: Uint8Array): Promise<void> {
    if (bytes.length % blockBytes !== 0) {
      throw new BlockError("block-range", `write ${bytes.length} bytes: not a multiple of ${blockBytes}`);
    }
    const count = bytes.length / blockBytes;
    this.#check("write", first, count);
    await this.#transfers("write", first, count, (at, blocks) => ({
      before: () => this.#parts.area.putBlocks(bytes.subarray(at * blockBytes, (at + blocks) * blockBytes)),
      after: () => {},
    }));
  }

  /**
   * Writes tracks anew, in blocks of zeroes: what was on them is gone.
   * @param progress is told how many tracks are done @throws BlockError
   */
  async format(first = 0, count = this.tracks - first, progress?: (tracks: number) => void): Promise<void> {
    this.#check("format", first * blocksPerTrack, count * blocksPerTrack);
    for (let done = 0; done < count; ) {
      const tracks = Math.min(formatTracks, count - done);
      await this.#turn(async () => {
        this.#parts.area.putBlocks(new Uint8Array(blockBytes));
        await this.#parts.runner.run(`format track ${first + done}`, this.#formatting(first + done, tracks));
      });
      done += tracks;
      progress?.(done);
    }
  }

  /** Halts what runs, as an operator would: the call that it belongs to does it again. */
  stop(how: "halt" | "clear", deadline: number): Promise<void> {
    return this.#parts.user.stop(how, deadline);
  }

  /** Resets the device: what runs is done again. @throws KernelError ENODEV it is gone */
  reset(): Promise<void> {
    return this.#parts.user.reset();
  }

  /** Waits for the call that is under way; those behind it fail with `block-closed`. Idempotent. */
  async close(): Promise<void> {
    const { turns, user, device } = this.#parts;
    if (this.#state === "closed") return;
    this.#state = "closed";
    const guard = await turns.lock({ deadline: noDeadline });
    try {
      await user.close();
      await letGo(device);
    } finally {
      guard.release();
    }
  }

  async #transfers(
    what: "read" | "write",
    first: number,
    count: number,
    part: (at: number, blocks: number) => { before(): void; after(): void },
  ): Promise<void> {
    for (let done = 0; done < count; ) {
      const blocks = Math.min(this.#parts.transferBlocks, count - done);
      const { before, after } = part(done, blocks);
      await this.#turn(async () => {
        before();
        await this.#run(what, first + done, blocks);
        after();
      });
      done += blocks;
    }
  }

  async #run(what: "read" | "write", first: number, count: number): Promise<void> {
    try {
      await this.#parts.runner.run(`${what} ${count} blocks at ${first}`, this.#moving(what, first, count));
    } catch (error) {
      if (!isBlockError(error, "block-unit-check") || !isUnformatted(error.sense)) throw error;
      throw new BlockError(
        "block-format",
        `${what} ${count} blocks at ${first}: no such records; format the tracks`,
        {
          cause: error,
        },
      );
    }
  }

  #moving(purpose: "read" | "write", first: number, count: number): readonly AreaCommand[] {
    const { area } = this.#parts;
    const track = Math.floor(first / blocksPerTrack);
    const last = Math.floor((first + count - 1) / blocksPerTrack);
    const record = (first % blocksPerTrack) + 1;
    const code = purpose === "read" ? EckdCommand.readData : EckdCommand.writeData;
    return [
      this.#extent(purpose, track, last),
      this.#locate(1, purpose, track, record, count),
      ...Array.from({ length: count }, (_, index) => ({ code, at: area.block(index), count: blockBytes })),
    ];
  }

  #formatting(first: number, tracks: number): readonly AreaCommand[] {
    const { area } = this.#parts;
    const commands: AreaCommand[] = [this.#extent("format", first, first + tracks - 1)];
    for (let index = 0; index < tracks; index += 1) {
      const track = first + index;
      // Behind record zero, which stays.
      commands.push(this.#locate(1 + index, "format", track, 0, blocksPerTrack));
      for (let record = 1; record <= blocksPerTrack; record += 1) {
        const at = area.count(index * blocksPerTrack + record - 1, countOf(this.disk, track, record));
        const chained = [{ at: area.block(0), count: blockBytes }];
        commands.push({ code: EckdCommand.writeCountKeyData, at, count: 8, chained });
      }
    }
    return commands;
  }

  #extent(purpose: Purpose, first: number, last: number): AreaCommand {
    const at = this.#parts.area.order(0, defineExtent(this.disk, purpose, first, last));
    return { code: EckdCommand.defineExtent, at, count: orderBytes };
  }

  #locate(index: number, purpose: Purpose, track: number, record: number, count: number): AreaCommand {
    const at = this.#parts.area.order(index, locateRecord(this.disk, purpose, track, record, count));
    return { code: EckdCommand.locateRecord, at, count: orderBytes };
  }

  async #turn(run: () => Promise<void>): Promise<void> {
    await this.#parts.turns.withLock(
      async () => {
        if (this.#parts.user.state === "lost")
          throw new BlockError("block-gone", "the device was taken away");
        if (this.#state === "closed") throw new BlockError("block-closed", "the block device was closed");
        await run();
      },
      { deadline: noDeadline },
    );
  }

  #check(what: string, first: number, count: number): void {
    const whole = Number.isInteger(first) && Number.isInteger(count);
    if (whole && first >= 0 && count >= 1 && first + count <= this.blocks) return;
    throw new BlockError(
      "block-range",
      `${what} ${count} blocks at ${first}: there are ${this.blocks}, from 0 on`,
    );
  }
}

/** No record found. */
function isUnformatted(sense: Uint8Array | null): boolean {
  return ((sense?.[1] ?? 0) & recordLengthSense1) !== 0;
}

function checkTransfer(blocks = 1): void {
  if (Number.isInteger(blocks) && blocks >= 1 && blocks <= maxTransferBlocks) return;
  throw new BlockError("block-range", `${blocks} blocks at once: 1 to ${maxTransferBlocks}`);
}
