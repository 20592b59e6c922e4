/**
 * The store on a table: what is there now is in memory, what was asked for is on the table first. After a write that failed nobody
 * knows what the table holds; it is opened anew, and what was refused is taken back, before it is written again.
 */
import { invoke, Mutex, type Named, noDeadline, type Runtime } from "parhelion-core";
import { HostError, messageOf } from "../host-error.js";
import { Task } from "../task.js";
import { damaged } from "./level-table.js";
import { summaryKey } from "./record-codec.js";
import type { StoredGuest, StoredSlice } from "./records.js";
import type { HostStore, StoreChange } from "./store.js";
import { StoreContent, type StoreStep } from "./store-content.js";
import type { Table, TableEdit } from "./table.js";

/** How long one change may take, from the moment when it is asked for, in ms. A disk that takes longer is about to fail. */
const changeMs = 10_000;

type Get = (key: string) => Promise<string | undefined>;

/** A write whose outcome is unknown, and what takes it back. */
interface Doubt {
  readonly undo: readonly TableEdit[];
  readonly written: Task;
}

export class KeptStore implements HostStore, Named {
  readonly name = "store";
  readonly #runtime: Runtime;
  readonly #table: Table;
  /** One change at a time, first come first served. */
  readonly #turn: Mutex;
  readonly #content: StoreContent;
  #doubt: Doubt | undefined;
  #mending: Task | undefined;
  #closing: Task | undefined;

  private constructor(runtime: Runtime, table: Table, content: StoreContent) {
    this.#runtime = runtime;
    this.#table = table;
    this.#content = content;
    this.#turn = new Mutex(runtime, "turn to change the store");
  }

  /** @throws HostError store-damaged, store-unavailable, host-already-running */
  static async open(runtime: Runtime, table: Table): Promise<KeptStore> {
    await table.open();
    try {
      return new KeptStore(runtime, table, await StoreContent.read(table));
    } catch (error) {
      await table.close();
      // LevelDB opens with tables that it can't read, and finds out when it has to.
      throw error instanceof HostError ? error : damaged(table.where, messageOf(error), error);
    }
  }

  get state(): HostStore["state"] {
    this.#access("read");
    return this.#content.summary === undefined ? "blank" : "written";
  }

  get guests(): readonly StoredGuest[] {
    this.#access("read");
    return this.#content.guests;
  }

  get slices(): readonly StoredSlice[] {
    this.#access("read");
    return this.#content.slices;
  }

  nextGeneration(): number {
    this.#access("write");
    return this.#content.nextGeneration();
  }

  async wasUsed(uuid: string): Promise<boolean> {
    return this.#inTurn((get) => this.#content.wasUsed(get, uuid));
  }

  async change(change: StoreChange): Promise<void> {
    await this.#inTurn(async (get, deadline) => {
      const step = await this.#content.plan(get, change);
      if (step.edits.length === 0) return;
      await this.#write(step, deadline);
      this.#access("write");
      this.#content.take(step);
    });
  }

  async close(): Promise<void> {
    this.#access("write");
    // Those who wait for their turn find the store closed.
    this.#closing ??= new Task(this.#runtime, "end of the store", () => this.#close());
    await this.#closing.wait({ deadline: noDeadline });
  }

  async #inTurn<T>(work: (get: Get, deadline: number) => Promise<T>): Promise<T> {
    const deadline = this.#runtime.clock.now() + changeMs;
    const turn = await this.#turn.lock({ deadline }).catch((error: unknown) => {
      throw failed(error);
    });
    try {
      this.#access("read");
      if (this.#closing !== undefined) throw new HostError("host-stopping", "the host is stopping");
      return await work((key) => this.#get(key, deadline), deadline);
    } finally {
      turn.release();
    }
  }

  async #get(key: string, deadline: number): Promise<string | undefined> {
    await this.#mend(deadline);
    try {
      return await this.#call("store.get", () => this.#table.get(key));
    } catch (error) {
      throw failed(error);
    }
  }

  async #write({ edits, undo }: StoreStep, deadline: number): Promise<void> {
    await this.#mend(deadline);
    const written = new Task(this.#runtime, "write to the store", () =>
      this.#call("store.write", () => this.#table.write(edits)),
    );
    this.#doubt = { undo, written };
    try {
      await written.wait({ deadline });
    } catch (error) {
      // At once, so that the next host does not find what was refused. If it fails, whoever wants a change next tries again.
      await this.#mend(deadline).catch(() => undefined);
      throw failed(error);
    }
    this.#access("write");
    this.#doubt = undefined;
  }

  /** Returns when the table holds what is in memory. @throws HostError store-failed */
  async #mend(deadline: number): Promise<void> {
    this.#access("read");
    const doubt = this.#doubt;
    if (doubt === undefined) return;
    // One that takes longer than its caller goes on, and the next caller waits for it.
    this.#mending ??= new Task(this.#runtime, "mending of the store", async () => {
      try {
        await this.#takeBack(doubt);
        this.#access("write");
        this.#doubt = undefined;
      } finally {
        this.#access("write");
        this.#mending = undefined;
      }
    });
    try {
      await this.#mending.wait({ deadline });
    } catch (error) {
      throw failed(error);
    }
  }

  async #takeBack({ undo, written }: Doubt): Promise<void> {
    // Not with a deadline: two writes at once could happen in either order.
    await written.wait({ deadline: noDeadline }).catch(() => undefined);
    await this.#call("store.close", () => this.#table.close());
    await this.#call("store.open", () => this.#table.open());
    const found = await this.#call("store.get", () => this.#table.get(summaryKey));
    if (found !== this.#content.summary) await this.#call("store.write", () => this.#table.write(undo));
  }

  async #close(): Promise<void> {
    const deadline = this.#runtime.clock.now() + changeMs;
    try {
      await this.#turn.withLock(() => this.#mend(deadline), { deadline });
    } catch {
      // The disk is as it is: what was refused last may be there at the next start, whole.
    }
    const closed = new Task(this.#runtime, "closing of the store", () =>
      this.#call("store.close", () => this.#table.close()),
    );
    if (!(await closed.endsWithin(this.#runtime, changeMs)))
      this.#runtime.log("warn", "store.close-slow", { store: this.#table.where, afterMs: changeMs });
  }

  #call<T>(op: string, work: () => Promise<T>): Promise<T> {
    return invoke(this.#runtime, op, this, work);
  }

  #access(mode: "read" | "write"): void {
    this.#runtime.scheduler.access(this, mode);
  }
}

function failed(error: unknown): HostError {
  if (error instanceof HostError && error.code === "store-failed") return error;
  return new HostError(
    "store-failed",
    `the change could not be kept, and was not made: ${messageOf(error)}.`,
    {
      cause: error,
      remedy: "Look whether the disk of the state directory is full, then try again.",
    },
  );
}
