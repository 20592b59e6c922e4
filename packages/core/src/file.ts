/**
 * One open of a device node. The file is counted, not tied to the binding: after the device is gone every operation
 * answers ENODEV at once, those under way included, and closing still reaches the driver's release exactly once,
 * when no operation of the driver is running on the file any more.
 */
import { KernelError } from "./error.js";
import { deadlineOf, type Runtime, type WaitOptions } from "./runtime.js";
import { invoke } from "./sync/call.js";
import { Completion } from "./sync/completion.js";
import { type Counted, Refcount } from "./sync/refcount.js";
import type { Named } from "./sync/scheduler.js";

/** What a driver does for one open file. State of the open lives in the object. */
export interface FileOperations<Req = unknown, Res = unknown> {
  /**
   * One request. Several can run at once. The driver settles it when its device goes; the opener has its ENODEV by
   * then.
   */
  request(request: Req): Res | Promise<Res>;
  /**
   * The opener closes (or has died) while requests may be under way: end those that wait. An error is logged as
   * `flush.failed`.
   */
  flush?(): void | Promise<void>;
  /** The last call for this file; the device may have been removed by now. An error is logged as `release.failed`. */
  release?(): void | Promise<void>;
}

/** Who opens. A node server fills in what the operating system says about its peer. */
export interface Opener {
  readonly pid?: number;
  readonly uid?: number;
  readonly gid?: number;
  /** What the process calls itself, for people. Says nothing about who it is. */
  readonly comm?: string;
}

type FileState = "opening" | "open" | "closed";

export class OpenFile<Req = unknown, Res = unknown> implements Named {
  readonly name: string;
  readonly opener: Opener;
  readonly #runtime: Runtime;
  readonly #pending = new Set<Completion<unknown>>();
  /** One for the opener until it closes, one for each operation under way. */
  readonly #refs: Refcount;
  readonly #released: Completion;
  #operations: FileOperations<Req, Res> | null = null;
  #state: FileState = "opening";
  #revoked: KernelError | null = null;

  /** @param owner what must outlive the file; a reference is taken here and given back after the release */
  constructor(
    runtime: Runtime,
    name: string,
    opener: Opener,
    owner: Counted,
    gone: (file: OpenFile) => void,
  ) {
    this.#runtime = runtime;
    this.name = name;
    this.opener = opener;
    this.#released = new Completion(runtime, `release of ${name}`);
    owner.get();
    this.#refs = new Refcount(runtime, name, () => {
      runtime.scheduler.spawn(`release ${name}`, async () => {
        await this.#tell("release");
        gone(this as OpenFile);
        this.#released.completeAll();
        owner.put();
      });
    });
  }

  get state(): FileState {
    this.#runtime.scheduler.access(this, "read");
    return this.#state;
  }

  /** Has the driver open the file. Whatever happens to the opener meanwhile, an open that succeeds is released. */
  async start(
    open: (file: OpenFile<Req, Res>) => FileOperations<Req, Res> | Promise<FileOperations<Req, Res>>,
    options?: WaitOptions,
  ): Promise<void> {
    try {
      await this.#run(
        "open",
        async () => {
          this.#operations = await open(this);
        },
        options,
      );
      this.#runtime.scheduler.access(this, "write");
      this.#state = "open";
    } catch (error) {
      this.#runtime.scheduler.access(this, "write");
      this.#state = "closed";
      this.#refs.put();
      throw error;
    }
  }

  /**
   * @throws KernelError ENODEV the device is gone, EBADF the file is closed, ETIMEDOUT (the driver may still act on
   * the request), and what the driver throws
   */
  async request(request: Req, options?: WaitOptions): Promise<Res> {
    this.#assertOpen("request");
    return this.#run(
      "request",
      async () => {
        if (this.#operations === null) throw new KernelError("EBADF", `${this.name} is not open`);
        return this.#operations.request(request);
      },
      options,
    );
  }

  /**
   * Gives the file up and waits until the driver has released it. Works after the device is gone.
   * @throws KernelError EBADF when it is closed already, ETIMEDOUT: closed, but the driver has not released it yet
   */
  async close(options?: WaitOptions): Promise<void> {
    this.#runtime.scheduler.access(this, "write");
    if (this.#state !== "open")
      throw new KernelError("EBADF", `close of ${this.name}, which is ${this.#state}`);
    this.#state = "closed";
    this.#runtime.scheduler.spawn(`flush ${this.name}`, async () => {
      await this.#tell("flush");
      this.#refs.put();
    });
    await this.#released.wait(options);
  }

  /** The device is gone: fails what is under way and everything to come. Only the node calls this. */
  revoke(error: KernelError): void {
    this.#runtime.scheduler.access(this, "write");
    this.#revoked ??= error;
    for (const done of this.#pending) done.fail(this.#revoked);
  }

  #assertOpen(op: string): void {
    this.#runtime.scheduler.access(this, "read");
    if (this.#state !== "open")
      throw new KernelError("EBADF", `${op} on ${this.name}, which is ${this.#state}`);
    if (this.#revoked !== null) throw this.#revoked;
  }

  /** Runs a driver operation as its own task, so that a removal or a deadline can answer before the driver does. */
  async #run<T>(op: string, operation: () => Promise<T>, options: WaitOptions | undefined): Promise<T> {
    const done = new Completion<T>(this.#runtime, `${op} on ${this.name}`);
    const deadline = deadlineOf(this.#runtime, options);
    this.#pending.add(done as Completion<unknown>);
    this.#refs.get();
    this.#runtime.scheduler.spawn(done.name, async () => {
      try {
        done.completeAll(await invoke(this.#runtime, op, this, operation));
      } catch (error) {
        done.fail(error);
      } finally {
        this.#pending.delete(done as Completion<unknown>);
        this.#refs.put();
      }
    });
    return done.wait({ deadline });
  }

  async #tell(op: "flush" | "release"): Promise<void> {
    try {
      await invoke(this.#runtime, op, this, () => this.#operations?.[op]?.());
    } catch (error) {
      this.#runtime.log("error", `${op}.failed`, { file: this.name, error });
    }
  }
}
