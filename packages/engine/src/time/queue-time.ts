/** One command queue in its engine's time: what it has on the GPU, whether it may go on, and its end when that takes too long. */
import { CommandDeferred, type ObjectTable } from "parhelion-protocol";
import { type Oldest, Submissions } from "./submissions.js";
import { WorkLog } from "./work-log.js";

/** The queue, as far as its time is concerned. */
export interface TimedQueue {
  /** The device's number. */
  readonly device: number;
  readonly objects: ObjectTable;
  /** Resolves when the GPU has done everything that was submitted. */
  workDone(): Promise<unknown>;
  /** What was submitted until now is done. */
  reached(count: number): void;
  /** It may be read again. */
  resume(): void;
  /** Its device is lost, although the GPU still has it. */
  condemned(message: string): void;
  /** The GPU has nothing of this queue's any more. */
  idle(): void;
}

/** What a queue asks of its engine's time. */
export interface Sharing {
  readonly now: number;
  admits(queue: QueueTime): boolean;
  beforeSubmit(queue: QueueTime): void;
  submitted(): void;
  settle(): void;
  close(queue: QueueTime): void;
}

export class QueueTime {
  readonly log: WorkLog;
  state: "running" | "suspect" | "condemned" = "running";
  /** Why it is condemned. */
  verdict = "";
  /** Why a command was deferred: for a lease, or for the GPU to come back. */
  waits: "no" | "time" | "end" = "no";
  /** Whether the queue has commands that were not read yet. */
  working = false;
  readonly #time: Sharing;
  readonly #queue: TimedQueue;
  readonly #submissions: Submissions;
  #state: "open" | "ended" = "open";

  constructor(time: Sharing, queue: TimedQueue) {
    this.#time = time;
    this.#queue = queue;
    this.log = new WorkLog(queue.objects);
    this.#submissions = new Submissions(
      () => queue.workDone(),
      (count) => this.done(count),
    );
  }

  get device(): number {
    return this.#queue.device;
  }

  get inFlight(): number {
    return this.#submissions.inFlight;
  }

  get averageMs(): number {
    return this.#submissions.averageMs;
  }

  /** Whether the queue may be read now; if not it hears `resume` later. */
  admits(): boolean {
    return this.#time.admits(this);
  }

  /** @throws CommandDeferred */
  beforeSubmit(commandBuffers: readonly object[]): void {
    this.#time.beforeSubmit(this);
    this.#submissions.prepare(this.#time.now, this.log.workOf(commandBuffers));
  }

  submitted(commandBuffers: readonly object[]): void {
    this.#submissions.submit(this.#time.now, this.log.workOf(commandBuffers));
    this.#time.submitted();
  }

  /** The first `count` submissions are done. */
  done(count: number): void {
    this.#submissions.done(count, this.#time.now);
    this.#queue.reached(count);
    if (this.inFlight === 0) {
      this.#queue.idle();
      if (this.#state === "ended") this.#close();
      if (this.waits === "end") this.go();
    }
    this.#time.settle();
  }

  /** A turn has ended. */
  rested(next: "more" | "idle"): void {
    this.working = next === "more";
    if (next === "idle") this.#time.settle();
  }

  /**
   * Dawn waits for the GPU before it destroys a device, and stops everything else meanwhile.
   * @throws CommandDeferred while the GPU has something of this queue's
   */
  beforeDestroy(): void {
    if (this.inFlight === 0) return;
    this.waits = "end";
    this.askForRest();
    throw new CommandDeferred("the GPU is busy");
  }

  go(): void {
    this.waits = "no";
    this.working = true;
    this.#queue.resume();
  }

  askForRest(): void {
    this.#submissions.askForRest(this.#time.now);
  }

  age(now: number, ms: number): Oldest | undefined {
    return this.#submissions.age(now, ms);
  }

  forgive(): void {
    this.#submissions.forgive();
  }

  takeBusy(): number {
    return this.#submissions.takeBusy();
  }

  condemn(message: string): void {
    this.state = "condemned";
    this.verdict = message;
    this.working = false;
    this.forgive();
    this.#queue.condemned(message);
  }

  /** The queue has ended. What the GPU has not come back from goes on being watched. */
  end(): void {
    this.working = false;
    this.log.clear();
    this.#state = "ended";
    this.askForRest();
    if (this.inFlight === 0) this.#close();
  }

  #close(): void {
    this.#submissions.end();
    this.#time.close(this);
  }
}
