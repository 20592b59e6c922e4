/** The migration of one device: which state it is in, and how it gets to another. */
import { invoke, KernelError, Mutex, type Named, type Runtime } from "parhelion-core";
import { nextState } from "./fsm.js";
import { Gate } from "./gate.js";
import type { MigrationArc, MigrationOps, MigrationState, MigrationStream } from "./ops.js";
import { type Guarded, UserStream } from "./stream.js";

/** The states that one stream lasts for. */
const saving: readonly MigrationState[] = ["PRE_COPY", "PRE_COPY_P2P", "STOP_COPY"];
const streaming: readonly MigrationState[] = [...saving, "RESUMING"];

/** In these a device does DMA and interrupts its user; in the others neither (include/uapi/linux/vfio.h). */
const moving: readonly MigrationState[] = ["RUNNING", "RUNNING_P2P", "PRE_COPY", "PRE_COPY_P2P"];

/** What of a device reaches its user. */
export interface Moving {
  halt(): void;
  resume(): void;
}

export class Migration implements Named {
  readonly name: string;
  readonly #runtime: Runtime;
  readonly #ops: MigrationOps;
  readonly #parts: readonly Moving[];
  /** Streams are read and written by who holds them, not through the device's file. */
  readonly #streaming: Gate;
  /** One change at a time. */
  readonly #mutex: Mutex;
  #state: MigrationState = "RUNNING";
  #stream: UserStream | null = null;
  #streams = 0;

  /** @param parts what must stand still with the device */
  constructor(runtime: Runtime, name: string, ops: MigrationOps, parts: readonly Moving[]) {
    this.#runtime = runtime;
    this.name = name;
    this.#ops = ops;
    this.#parts = parts;
    this.#streaming = new Gate(runtime, `streams of ${name}`);
    this.#mutex = new Mutex(runtime, `changes of ${name}`);
  }

  get flags(): number {
    return this.#ops.flags;
  }

  get state(): MigrationState {
    this.#runtime.scheduler.access(this, "read");
    return this.#state;
  }

  dataSize(): bigint {
    return this.#ops.dataSize?.() ?? 0n;
  }

  /**
   * Takes the device there, step by step. After an error it is where the failed step has left it: look.
   * @returns the stream, when the last step has opened one
   * @throws KernelError EINVAL there is no way, and what the driver throws
   */
  set(to: MigrationState): Promise<MigrationStream | null> {
    return this.#mutex.withLock(async () => {
      // At once, not only when it is left again: a state that the device can't have is refused though it is in none.
      let next = nextState(this.state, to, this.flags);
      let opened: MigrationStream | null = null;
      while (this.state !== to) {
        opened = await this.#step({ from: this.state, to: next });
        if (opened !== null && next !== to) {
          this.#moveTo("ERROR");
          throw new KernelError("EINVAL", `${this.name}: its driver opened a stream on the way to ${to}`);
        }
        if (this.state !== to) next = nextState(this.state, to, this.flags);
      }
      return opened;
    });
  }

  /** The device is opened. */
  open(): void {
    this.#streaming.open();
    this.#moveTo("RUNNING");
  }

  /**
   * Has the device reset: then it runs, and nothing of it is on its way. Neither while it changes its state, or nobody could
   * say what it is left in. @throws KernelError what `run` throws: its state is the same then
   */
  reset(run: () => Promise<void>): Promise<void> {
    return this.#mutex.withLock(async () => {
      await run();
      this.#moveTo("RUNNING");
    });
  }

  /** The user goes: streams answer ENODEV. */
  close(): void {
    this.#streaming.shut();
  }

  /** Waits for what the driver still reads or writes of a stream, and ends it. */
  async drain(): Promise<void> {
    await this.#streaming.drain();
    this.#endStream();
  }

  async #step(arc: MigrationArc): Promise<MigrationStream | null> {
    let stream: MigrationStream | undefined;
    // What it begins with the step into a state it does in that state; what it ends before a step is over is not stopped.
    if (moving.includes(arc.to)) for (const part of this.#parts) part.resume();
    try {
      stream =
        (await invoke(this.#runtime, `migrate.${arc.to}`, this, () => this.#ops.step(arc))) ?? undefined;
    } catch (error) {
      this.#moveTo(this.#ops.recover?.(arc) === "kept" ? this.#state : "ERROR");
      throw error;
    }
    this.#moveTo(arc.to);
    if (stream === undefined) return null;
    this.#streams += 1;
    const guarded: Guarded = (use) => this.#streaming.during(use);
    this.#stream = new UserStream(this.#runtime, `stream ${this.#streams} of ${this.name}`, stream, guarded);
    return this.#stream;
  }

  #moveTo(state: MigrationState): void {
    this.#runtime.scheduler.access(this, "write");
    const kept = this.#state === state || (saving.includes(this.#state) && saving.includes(state));
    this.#state = state;
    for (const part of this.#parts) {
      if (moving.includes(state)) part.resume();
      else part.halt();
    }
    if (!kept || !streaming.includes(state)) this.#endStream();
  }

  #endStream(): void {
    this.#stream?.end();
    this.#stream = null;
  }
}
