/** DEVICE_FEATURE, and the state of a migrating device, which goes by messages where Linux has a descriptor. */
import { isKernelError, KernelError, type Runtime, type WaitOptions } from "parhelion-core";
import { deviceCall } from "../../device/call.js";
import { type DeviceFile, Feature } from "../../device/calls.js";
import { type MigrationState, type MigrationStream, migrationStates } from "../../migration/ops.js";
import { encodeFeature, encodeMigrationData, type FeatureCall } from "../wire/feature.js";
import { Writer } from "../wire/writer.js";
import { within } from "../within.js";

const saving: readonly MigrationState[] = ["PRE_COPY", "PRE_COPY_P2P", "STOP_COPY"];

export class MigrationData {
  readonly #runtime: Runtime;
  readonly #file: DeviceFile;
  readonly #mostBytes: number;
  #state: MigrationState = "RUNNING";
  #stream: MigrationStream | null = null;

  /** @param mostBytes of data in one message to the client */
  constructor(runtime: Runtime, file: DeviceFile, mostBytes: number) {
    this.#runtime = runtime;
    this.#file = file;
    this.#mostBytes = mostBytes;
  }

  /** Whether the device stands still for its state to be taken: little else can be asked of it then. */
  get standsStill(): boolean {
    return this.#state === "STOP_COPY";
  }

  /** The device was reset: it runs, and nothing of it is on its way. */
  reset(): void {
    this.#moveTo("RUNNING", null);
  }

  /** @returns the whole answer. @throws KernelError as FEATURE */
  async feature(call: FeatureCall, options: WaitOptions): Promise<Uint8Array> {
    const { argsz, flags, data, action, index } = call;
    try {
      const asked = index === Feature.DMA_LOGGING_START && action === "set" ? withRanges(data) : data;
      const most = headBytes + reportBytes + this.#mostBytes;
      const room = Math.min(
        argsz + asked.length - data.length,
        action === "get" ? most : argsz + asked.length,
      );
      const reply = await deviceCall(this.#file, "FEATURE", { argsz: room, flags, data: asked }, options);
      if (action === "get" && reply.data.length > most - headBytes)
        throw new KernelError(
          "E2BIG",
          `DEVICE_FEATURE ${index}: ${reply.data.length} bytes, the client takes ${most}`,
        );
      if (index === Feature.MIG_DEVICE_STATE && action === "set")
        this.#moveTo(stateIn(reply.data), reply.stream ?? null);
      // What was set or probed is repeated.
      return encodeFeature(flags, action === "get" ? reply.data : data);
    } catch (error) {
      if (index === Feature.MIG_DEVICE_STATE && action === "set") await this.#lookAgain(options);
      throw error;
    }
  }

  /** @returns the whole answer: less than `size` bytes when that was all. @throws KernelError EINVAL nothing leaves now, ETIMEDOUT */
  async read(size: number, options: WaitOptions): Promise<Uint8Array> {
    const stream = this.#stream;
    if (stream?.read === undefined || !saving.includes(this.#state))
      throw new KernelError("EINVAL", `MIG_DATA_READ: no state leaves a device in ${this.#state}`);
    const bytes = new Uint8Array(size);
    let at = 0;
    while (at < size) {
      const piece = await this.#within("MIG_DATA_READ", async () => stream.read?.(size - at), options);
      if (piece === undefined) break;
      if (piece.length === 0) break;
      bytes.set(piece, at);
      at += piece.length;
    }
    return encodeMigrationData(bytes.subarray(0, at), size);
  }

  /** @throws KernelError EINVAL nothing comes in now, ETIMEDOUT */
  async write(data: Uint8Array, options: WaitOptions): Promise<void> {
    const stream = this.#stream;
    if (stream?.write === undefined || this.#state !== "RESUMING")
      throw new KernelError("EINVAL", `MIG_DATA_WRITE: no state comes into a device in ${this.#state}`);
    await this.#within("MIG_DATA_WRITE", async () => stream.write?.(data), options);
  }

  /** A stream that takes too long is not asked again: what it does then belongs to nobody. @throws KernelError ETIMEDOUT */
  async #within<T>(what: string, run: () => Promise<T>, options: WaitOptions): Promise<T> {
    try {
      return await within(this.#runtime, what, run, options);
    } catch (error) {
      if (isKernelError(error, "ETIMEDOUT")) this.#stream = null;
      throw error;
    }
  }

  /** A step that failed has left the device somewhere. */
  async #lookAgain(options: WaitOptions): Promise<void> {
    const flags = Feature.MIG_DEVICE_STATE | getFlag;
    try {
      const { data } = await deviceCall(this.#file, "FEATURE", { argsz: 16, flags }, options);
      this.#moveTo(stateIn(data), null);
    } catch {
      // Nothing of it can be asked: who asked first hears why.
    }
  }

  /** @param opened a stream that goes with the state; null: the one there is lasts as long as its states do */
  #moveTo(state: MigrationState, opened: MigrationStream | null): void {
    const lasts = saving.includes(this.#state) && saving.includes(state);
    if (opened !== null || !(lasts || state === this.#state)) this.#stream = opened;
    this.#state = state;
  }
}

const getFlag = 0x1_0000;
/** struct vfio_device_feature, and what stands before the bitmap of a report. */
const headBytes = 8;
const reportBytes = 24;

const loggingBytes = 16;
const half = 1n << 63n;

/** To log no ranges is to log everything, in this protocol and not in Linux, whose lengths have 64 bits as well. */
function withRanges(data: Uint8Array): Uint8Array {
  if (data.length < loggingBytes) return data;
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  if (view.getUint32(8, true) !== 0) return data;
  const pageSize = view.getBigUint64(0, true);
  return new Writer(loggingBytes + 32).u64(pageSize).u32(2).u32(0).u64(0n).u64(half).u64(half).u64(half)
    .bytes;
}

function stateIn(data: Uint8Array): MigrationState {
  return migrationStates[data[0] ?? 0] ?? "ERROR";
}
