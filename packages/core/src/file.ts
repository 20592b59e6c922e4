/**
 * One open of a device node. The file is counted, not tied to the binding: after the device is gone every operation
 * answers ENODEV at once, those under way included, and closing still reaches the driver's release exactly once,
 * when no operation of the driver is running on the file any more.
 */
import { KernelError } from "./error.js";
import type { FileOperations, Opener } from "./file-operations.js";
import { checkRange, type MappedMemory, Mapping, type MapRange } from "./mapping.js";
import { deadlineOf, noDeadline, type Runtime, type WaitOptions } from "./runtime.js";
import { invoke } from "./sync/call.js";
import { Completion } from "./sync/completion.js";
import { type Counted, Refcount } from "./sync/refcount.js";
import type { Named } from "./sync/scheduler.js";

type FileState = "opening" | "open" | "closed";

export class OpenFile<Req = unknown, Res = unknown> implements Named {
  readonly name: string;
  readonly opener: Opener;
  readonly #runtime: Runtime;
  readonly #pending = new Set<Completion<unknown>>();
  readonly #mappings = new Set<Mapping>();
  /** One for the opener until it closes, one for each operation under way and each mapping. */
  readonly #refs: Refcount;
  readonly #closed: Completion;
  #operations: FileOperations<Req, Res> | null = null;
  #state: FileState = "opening";
  #flush: "not yet" | "done" = "not yet";
  #mapped = 0;
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
    this.#closed = new Completion(runtime, `close of ${name}`);
    owner.get();
    this.#refs = new Refcount(runtime, name, () => {
      runtime.scheduler.spawn(`release ${name}`, async () => {
        await this.#tell("release");
        gone(this as OpenFile);
        this.#closed.completeAll();
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
          const operations = await open(this);
          this.#runtime.scheduler.access(this, "write");
          this.#operations = operations;
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
    if (this.#operations?.unclaimed !== undefined) return this.#requestThing(request, options);
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
   * Has the driver map a range. The mapping holds the file: the driver's release waits for its unmap.
   * @throws KernelError ENODEV the device is gone, or can't be mapped; EBADF the file is closed, EINVAL the range,
   * ETIMEDOUT (what the driver still maps is unmapped again), and what the driver throws
   */
  async map(range: MapRange, options?: WaitOptions): Promise<Mapping> {
    this.#assertOpen("map");
    checkRange(`map of ${this.name}`, range);
    const outcome: { mapping: Mapping | null; caller: "waiting" | "gone" } = {
      mapping: null,
      caller: "waiting",
    };
    const map = async (): Promise<Mapping> => {
      const memory = await this.#operations?.map?.(range);
      if (memory === undefined)
        throw new KernelError("ENODEV", `map of ${this.name}: it has no memory to map`);
      this.#runtime.scheduler.access(this, "write");
      const mapping = this.#hold(range, memory);
      if (outcome.caller === "gone") this.#drop(mapping);
      else outcome.mapping = mapping;
      return mapping;
    };
    try {
      return await this.#run("map", map, options);
    } catch (error) {
      this.#runtime.scheduler.access(this, "write");
      outcome.caller = "gone";
      if (outcome.mapping !== null) this.#drop(outcome.mapping);
      throw error;
    }
  }

  /**
   * Gives the file up and waits until the driver has released it, or, if something of it is still mapped, until it has
   * flushed it. Works after the device is gone.
   * @throws KernelError EBADF when it is closed already, ETIMEDOUT: closed, but the driver has not released it yet
   */
  async close(options?: WaitOptions): Promise<void> {
    this.#runtime.scheduler.access(this, "write");
    if (this.#state !== "open")
      throw new KernelError("EBADF", `close of ${this.name}, which is ${this.#state}`);
    this.#state = "closed";
    this.#runtime.scheduler.spawn(`flush ${this.name}`, async () => {
      await this.#tell("flush");
      this.#runtime.scheduler.access(this, "write");
      this.#flush = "done";
      this.#settleClose();
      this.#refs.put();
    });
    await this.#closed.wait(options);
  }

  /** The device is gone: fails what is under way and everything to come. Only the node calls this. */
  revoke(error: KernelError): void {
    this.#runtime.scheduler.access(this, "write");
    this.#revoked ??= error;
    for (const done of this.#pending) done.fail(this.#revoked);
    for (const mapping of this.#mappings) mapping.zap();
  }

  /** A request whose answer stands for something: if its caller does not take it, the driver gets it back. */
  async #requestThing(request: Req, options: WaitOptions | undefined): Promise<Res> {
    const outcome: { answer: { readonly value: Res } | null; caller: "waiting" | "gone" } = {
      answer: null,
      caller: "waiting",
    };
    this.#refs.get();
    const ask = async (): Promise<Res> => {
      if (this.#operations === null) throw new KernelError("EBADF", `${this.name} is not open`);
      const value = await this.#operations.request(request);
      this.#runtime.scheduler.access(this, "write");
      if (outcome.caller === "gone") await this.#giveBack(value);
      else outcome.answer = { value };
      return value;
    };
    try {
      return await this.#run("request", ask, options);
    } catch (error) {
      this.#runtime.scheduler.access(this, "write");
      outcome.caller = "gone";
      const { answer } = outcome;
      if (answer !== null) {
        this.#refs.get();
        this.#runtime.scheduler.spawn(`give back to ${this.name}`, async () => {
          await this.#giveBack(answer.value);
          this.#refs.put();
        });
      }
      throw error;
    } finally {
      this.#refs.put();
    }
  }

  async #giveBack(answer: Res): Promise<void> {
    try {
      await this.#operations?.unclaimed?.(answer);
    } catch (error) {
      this.#runtime.log("error", "unclaimed.failed", { file: this.name, error });
    }
  }

  #hold(range: MapRange, memory: MappedMemory): Mapping {
    this.#mapped += 1;
    this.#refs.get();
    const name = `mapping ${this.#mapped} of ${this.name}`;
    const mapping = new Mapping(this.#runtime, name, range, memory, (unmapped) => {
      this.#runtime.scheduler.access(this, "write");
      this.#mappings.delete(unmapped);
      this.#refs.put();
    });
    this.#mappings.add(mapping);
    if (this.#revoked !== null) mapping.zap();
    this.#settleClose();
    return mapping;
  }

  /** Nobody has the mapping, nor ever will. */
  #drop(mapping: Mapping): void {
    this.#runtime.scheduler.spawn(`drop ${mapping.name}`, () => mapping.unmap({ deadline: noDeadline }));
  }

  /** Who closes a file that is mapped must not wait for whoever has the mapping. */
  #settleClose(): void {
    if (this.#flush === "done" && this.#mappings.size > 0) this.#closed.completeAll();
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
    this.#runtime.scheduler.access(this, "write");
    this.#pending.add(done as Completion<unknown>);
    this.#refs.get();
    this.#runtime.scheduler.spawn(done.name, async () => {
      try {
        done.completeAll(await invoke(this.#runtime, op, this, operation));
      } catch (error) {
        done.fail(error);
      } finally {
        this.#runtime.scheduler.access(this, "write");
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
