/**
 * The data of one command: the storage areas of its CCW and of those that data chaining adds, as one path. The next CCW
 * is fetched as soon as the count of the present one is used up, so an ending at that moment is about the new one.
 */
import { KernelError } from "parhelion-core";
import { type MainStorage, StorageFault } from "../storage/storage.js";
import { type Run, StorageArea } from "./area.js";
import { type Ccw, ccwSize, has, pastCcw } from "./ccw.js";
import { type ChannelCheck, checkOf } from "./check.js";
import type { StartControls } from "./controls.js";
import type { CommandClass, DataPath } from "./device.js";
import type { CcwFetcher } from "./fetch.js";

export interface DataChainHooks {
  /** Whether the path is open is looked at: somebody else may close it. */
  looked(): void;
  /** The device accepted the command. */
  accepted(): void;
  /** A CCW with the PCI flag took control. */
  interrupt(ccw: Ccw): void;
  /** The data ends here, whatever the device still has. */
  failed(check: ChannelCheck): void;
}

export class DataChain implements DataPath {
  readonly #kind: CommandClass;
  readonly #controls: StartControls;
  readonly #storage: MainStorage;
  readonly #fetcher: CcwFetcher;
  readonly #hooks: DataChainHooks;
  #ccw: Ccw;
  #area: StorageArea;
  #residual: number;
  #cpa: number;
  #check = 0;
  #command: "offered" | "accepted" = "offered";
  /** "exceeded": the device wanted more than the CCWs have. */
  #length: "within" | "exceeded" = "within";
  #state: "open" | "closed" = "open";

  constructor(
    ccw: Ccw,
    kind: CommandClass,
    controls: StartControls,
    storage: MainStorage,
    fetcher: CcwFetcher,
    hooks: DataChainHooks,
  ) {
    this.#ccw = ccw;
    this.#kind = kind;
    this.#controls = controls;
    this.#storage = storage;
    this.#fetcher = fetcher;
    this.#hooks = hooks;
    this.#area = this.#areaOf(ccw);
    this.#residual = ccw.count;
    this.#cpa = pastCcw(ccw.address);
  }

  /** The CCW in use. */
  get ccw(): Ccw {
    return this.#ccw;
  }

  /** What of its count is left. */
  get residual(): number {
    return this.#residual;
  }

  get cpa(): number {
    return this.#cpa;
  }

  /** Subchannel status that the data gave rise to; 0 when all is well. */
  get check(): number {
    return this.#check;
  }

  get command(): "offered" | "accepted" {
    return this.#command;
  }

  get length(): "within" | "exceeded" {
    return this.#length;
  }

  accept(): void {
    this.#hooks.looked();
    if (this.#command === "accepted" || this.#state === "closed") return;
    this.#command = "accepted";
    this.#hooks.accepted();
    if (has(this.#ccw, "PCI")) this.#hooks.interrupt(this.#ccw);
  }

  async receive(length: number): Promise<Uint8Array> {
    const bytes = await this.receiveRest(length);
    if (bytes.length < length && this.#open) this.#length = "exceeded";
    return bytes;
  }

  async receiveRest(most: number): Promise<Uint8Array> {
    this.#assertKind("write", "control");
    this.accept();
    const parts: Uint8Array[] = [];
    let taken = 0;
    while (taken < most && this.#open && this.#residual > 0) {
      const part = await this.#take(most - taken);
      parts.push(part);
      taken += part.length;
    }
    return parts.length === 1 ? (parts[0] as Uint8Array) : Buffer.concat(parts);
  }

  async send(bytes: Uint8Array): Promise<number> {
    this.#assertKind("read", "read-backward", "sense");
    this.accept();
    let given = 0;
    while (given < bytes.length && this.#open && this.#residual > 0) {
      given += await this.#give(bytes.subarray(given));
    }
    if (given < bytes.length && this.#open) this.#length = "exceeded";
    return given;
  }

  /** Nothing moves any more. */
  close(): void {
    this.#state = "closed";
  }

  #assertKind(...kinds: readonly CommandClass[]): void {
    if (kinds.includes(this.#kind)) return;
    throw new KernelError("EINVAL", `a ${this.#kind} command moves its data the other way`);
  }

  get #open(): boolean {
    this.#hooks.looked();
    return this.#state === "open" && this.#check === 0;
  }

  async #take(wanted: number): Promise<Uint8Array> {
    let run: Run = nowhere;
    try {
      run = await this.#area.next(Math.min(wanted, this.#residual));
      const bytes = await this.#read(run.address, run.length);
      await this.#used(run.length);
      return bytes;
    } catch (error) {
      const reached = reachedBefore(error, run);
      this.#fail(error);
      const bytes = reached === 0 ? new Uint8Array() : await this.#read(run.address, reached);
      this.#residual -= reached;
      return bytes;
    }
  }

  async #give(bytes: Uint8Array): Promise<number> {
    const most = Math.min(bytes.length, this.#residual);
    if (has(this.#ccw, "SKIP")) {
      await this.#used(most);
      return most;
    }
    let run: Run = nowhere;
    try {
      run = await this.#area.next(most);
      const part = bytes.subarray(0, run.length);
      const stored = this.#kind === "read-backward" ? part.slice().reverse() : part;
      const answer = this.#storage.write(run.address, stored, this.#controls.key);
      if (answer instanceof Promise) await answer;
      await this.#used(run.length);
      return run.length;
    } catch (error) {
      const reached = reachedBefore(error, run);
      this.#fail(error);
      this.#residual -= reached;
      return reached;
    }
  }

  /** A copy: what storage gives may be a view, and the device keeps what it gets. */
  async #read(address: number, length: number): Promise<Uint8Array> {
    const answer = this.#storage.read(address, length, this.#controls.key);
    return Uint8Array.prototype.slice.call(answer instanceof Promise ? await answer : answer);
  }

  async #used(length: number): Promise<void> {
    this.#area.advance(length);
    this.#residual -= length;
    if (this.#residual > 0 || !has(this.#ccw, "CD")) return;
    try {
      this.#ccw = await this.#fetcher.fetch(this.#ccw.address + ccwSize, "data");
    } catch (error) {
      this.#fail(error);
      return;
    }
    if (this.#state === "closed") return;
    this.#area = this.#areaOf(this.#ccw);
    this.#residual = this.#ccw.count;
    this.#cpa = pastCcw(this.#ccw.address);
    if (has(this.#ccw, "PCI")) this.#hooks.interrupt(this.#ccw);
  }

  #fail(error: unknown): void {
    const check = checkOf(error, null);
    this.#check = check.cstat;
    this.#cpa = check.cpa ?? this.#cpa;
    this.#hooks.failed(check);
  }

  #areaOf(ccw: Ccw): StorageArea {
    const direction = this.#kind === "read-backward" ? "down" : "up";
    return new StorageArea(ccw, direction, this.#controls, this.#storage);
  }
}

const nowhere: Run = { address: 0, length: 0 };

/** How many bytes of a run come before what could not be accessed. */
function reachedBefore(error: unknown, run: Run): number {
  return error instanceof StorageFault ? Math.min(Math.max(0, error.address - run.address), run.length) : 0;
}
