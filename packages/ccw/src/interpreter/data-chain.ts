/**
 * The data of one command: the storage areas of its CCW and of those that data chaining adds, as one path. The next CCW
 * is fetched as soon as the count of the present one is used up, so an ending at that moment is about the new one.
 */
import { KernelError } from "parhelion-core";
import { type Answer, after, attempt } from "../storage/answer.js";
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
  accepted(ccw: Ccw): void;
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

  get state(): "open" | "cut" {
    return this.#open ? "open" : "cut";
  }

  accept(): void {
    this.#hooks.looked();
    if (this.#command === "accepted" || this.#state === "closed") return;
    this.#command = "accepted";
    this.#hooks.accepted(this.#ccw);
    if (has(this.#ccw, "PCI")) this.#hooks.interrupt(this.#ccw);
  }

  receive(length: number): Answer<Uint8Array> {
    return after(this.receiveRest(length), (bytes) => {
      if (bytes.length < length && this.#open) this.#length = "exceeded";
      return bytes;
    });
  }

  receiveRest(most: number): Answer<Uint8Array> {
    this.#assertKind("write", "control");
    this.accept();
    return this.#gather(most, []);
  }

  send(bytes: Uint8Array): Answer<number> {
    this.#assertKind("read", "read-backward", "sense");
    this.accept();
    return this.#scatter(bytes, 0);
  }

  /** Nothing moves any more. */
  close(): void {
    this.#state = "closed";
  }

  #assertKind(first: CommandClass, ...others: readonly CommandClass[]): void {
    if (this.#kind === first || others.includes(this.#kind)) return;
    throw new KernelError("EINVAL", `a ${this.#kind} command moves its data the other way`);
  }

  get #open(): boolean {
    this.#hooks.looked();
    return this.#state === "open" && this.#check === 0;
  }

  /** @param parts what was gathered before */
  #gather(most: number, parts: Uint8Array[]): Answer<Uint8Array> {
    let left = most;
    while (left > 0 && this.#open && this.#residual > 0) {
      const wanted = left;
      const part = this.#take(wanted);
      if (part instanceof Promise) {
        return part.then((bytes) => {
          parts.push(bytes);
          return this.#gather(wanted - bytes.length, parts);
        });
      }
      parts.push(part);
      left -= part.length;
    }
    return parts.length === 1 ? (parts[0] as Uint8Array) : Buffer.concat(parts);
  }

  /** @param from how many of the bytes were given before @returns how many in the end */
  #scatter(bytes: Uint8Array, from: number): Answer<number> {
    let given = from;
    while (given < bytes.length && this.#open && this.#residual > 0) {
      const more = this.#give(given === 0 ? bytes : bytes.subarray(given));
      if (more instanceof Promise) {
        const before = given;
        return more.then((taken) => this.#scatter(bytes, before + taken));
      }
      given += more;
    }
    if (given < bytes.length && this.#open) this.#length = "exceeded";
    return given;
  }

  #take(wanted: number): Answer<Uint8Array> {
    const run = this.#next(Math.min(wanted, this.#residual));
    return run instanceof Promise ? run.then((there) => this.#takeRun(there)) : this.#takeRun(run);
  }

  #takeRun(run: Run | null): Answer<Uint8Array> {
    if (run === null) return new Uint8Array();
    const failed = (error: unknown): Answer<Uint8Array> => {
      const reached = this.#failedWithin(error, run);
      return reached === 0 ? new Uint8Array() : this.#read(run.address, reached);
    };
    try {
      const bytes = this.#read(run.address, run.length);
      if (bytes instanceof Promise) return bytes.then((read) => this.#taken(run, read)).catch(failed);
      return this.#taken(run, bytes);
    } catch (error) {
      return failed(error);
    }
  }

  #taken({ length }: Run, bytes: Uint8Array): Answer<Uint8Array> {
    const used = this.#used(length);
    return used instanceof Promise ? used.then(() => bytes) : bytes;
  }

  #give(bytes: Uint8Array): Answer<number> {
    const most = Math.min(bytes.length, this.#residual);
    if (has(this.#ccw, "SKIP")) return this.#given(most);
    const run = this.#next(most);
    return run instanceof Promise
      ? run.then((there) => this.#giveRun(there, bytes))
      : this.#giveRun(run, bytes);
  }

  #giveRun(run: Run | null, bytes: Uint8Array): Answer<number> {
    if (run === null) return 0;
    const { address, length } = run;
    const part = length === bytes.length ? bytes : bytes.subarray(0, length);
    const stored = this.#kind === "read-backward" ? part.slice().reverse() : part;
    try {
      const answer = this.#storage.write(address, stored, this.#controls.key);
      if (!(answer instanceof Promise)) return this.#given(length);
      return answer.then(() => this.#given(length)).catch((error) => this.#failedWithin(error, run));
    } catch (error) {
      return this.#failedWithin(error, run);
    }
  }

  #given(length: number): Answer<number> {
    const used = this.#used(length);
    return used instanceof Promise ? used.then(() => length) : length;
  }

  /** The next run of the area; null when it has none, and the data ends. */
  #next(length: number): Answer<Run | null> {
    const failed = (error: unknown): null => {
      this.#fail(error);
      return null;
    };
    try {
      const run = this.#area.next(length);
      return run instanceof Promise ? run.catch(failed) : run;
    } catch (error) {
      return failed(error);
    }
  }

  /** @returns how many bytes of the run were reached */
  #failedWithin(error: unknown, run: Run): number {
    const reached = reachedBefore(error, run);
    this.#fail(error);
    this.#residual -= reached;
    return reached;
  }

  /** A copy: what storage gives may be a view, and the device keeps what it gets. */
  #read(address: number, length: number): Answer<Uint8Array> {
    return after(this.#storage.read(address, length, this.#controls.key), (bytes) =>
      Uint8Array.prototype.slice.call(bytes),
    );
  }

  #used(length: number): Answer<void> {
    this.#area.advance(length);
    this.#residual -= length;
    if (this.#residual > 0 || !has(this.#ccw, "CD")) return undefined;
    return attempt(
      () => after(this.#fetcher.fetch(this.#ccw.address + ccwSize, "data"), (ccw) => this.#goOn(ccw)),
      (error) => this.#fail(error),
    );
  }

  /** With the CCW that data chaining has led to. */
  #goOn(ccw: Ccw): void {
    this.#ccw = ccw;
    if (this.#state === "closed") return;
    this.#area = this.#areaOf(ccw);
    this.#residual = ccw.count;
    this.#cpa = pastCcw(ccw.address);
    if (has(ccw, "PCI")) this.#hooks.interrupt(ccw);
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

/** How many bytes of a run come before what could not be accessed. */
function reachedBefore(error: unknown, run: Run): number {
  return error instanceof StorageFault ? Math.min(Math.max(0, error.address - run.address), run.length) : 0;
}
