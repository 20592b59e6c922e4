/** What the server asks the client: bytes of memory that it can't reach by itself. Every question ends, by an answer or a deadline. */
import { Completion, KernelError, type Runtime, WaitQueue } from "parhelion-core";
import type { DmaLayout } from "../wire/dma.js";
import type { Frame } from "../wire/frames.js";
import { encodeCommand } from "../wire/header.js";
import { commandNumber } from "../wire/request.js";

/** Questions and bytes of memory under way at a time; what is more waits for its turn. */
const most = 256;
const mostBytes = 8 * 1024 * 1024;
const ids = 0x1_0000;

interface Question {
  readonly command: number;
  readonly answered: Completion<Uint8Array>;
}

export class Questions {
  readonly #runtime: Runtime;
  readonly #send: (bytes: Uint8Array) => void;
  readonly #patienceMs: number;
  readonly #changed: () => void;
  /** Those that were sent, by id, and all of them. */
  readonly #open = new Map<number, Question>();
  readonly #all = new Set<Question>();
  readonly #room: WaitQueue;
  /** Those whose turn it is, and what they are about. */
  #asking = 0;
  #bytes = 0;
  #last = 0;
  #over: KernelError | null = null;
  /** How the client puts data behind a count; its first answers tell. */
  layout: DmaLayout | "unknown" = "unknown";
  /** Others await what the device is known to ask for, one by one, and nothing else. */
  client: "answers anything" | "awaits what comes" = "awaits what comes";

  /** @param patienceMs for one answer, and for the turn to ask. @param changed `state` may be another one */
  constructor(runtime: Runtime, send: (bytes: Uint8Array) => void, patienceMs: number, changed: () => void) {
    this.#runtime = runtime;
    this.#send = send;
    this.#patienceMs = patienceMs;
    this.#changed = changed;
    this.#room = new WaitQueue(runtime, "turn to ask a client");
  }

  /** "asked": the client owes an answer. */
  get state(): "asked" | "idle" {
    return this.#open.size > 0 ? "asked" : "idle";
  }

  /**
   * @param bytes of memory that the question or its answer has
   * @returns what the answer has after its header
   * @throws KernelError EFAULT the client refused, ETIMEDOUT it did not answer, or too many others were before; ENODEV it has gone
   */
  async ask(command: "DMA_READ" | "DMA_WRITE", body: Uint8Array, bytes: number): Promise<Uint8Array> {
    const question = {
      command: commandNumber(command),
      answered: new Completion<Uint8Array>(this.#runtime, `answer to ${command}`),
    };
    this.#all.add(question);
    try {
      await this.#turn(bytes);
      return await this.#exchange(question, body, bytes);
    } finally {
      this.#all.delete(question);
      question.answered.completeAll(new Uint8Array(0));
    }
  }

  /** @returns false: nobody asked, or nobody waits any more */
  answer({ header, body }: Frame): boolean {
    const question = this.#open.get(header.id);
    if (question === undefined || question.command !== header.command) return false;
    if (header.errno === 0) question.answered.completeAll(body);
    else
      question.answered.fail(
        new KernelError("EFAULT", `the client refused an access to its memory with errno ${header.errno}`),
      );
    return true;
  }

  /** Waits until those that there are now have ended, each by its own deadline. */
  async settled(): Promise<void> {
    const deadline = this.#runtime.clock.now() + 2 * this.#patienceMs;
    for (const { answered } of [...this.#all]) {
      try {
        await answered.wait({ deadline });
      } catch {
        // Whoever asked hears of it.
      }
    }
  }

  /** The client has gone. */
  end(reason: KernelError): void {
    this.#over ??= reason;
    for (const { answered } of this.#all) answered.fail(this.#over);
    this.#room.wake();
  }

  async #turn(bytes: number): Promise<void> {
    const deadline = this.#runtime.clock.now() + this.#patienceMs;
    const ready = (): boolean => this.#over !== null || this.#hasRoom(bytes);
    // Others may have been quicker since it was told.
    while (!ready()) await this.#room.wait(ready, { deadline });
    if (this.#over !== null) throw this.#over;
    this.#asking += 1;
    this.#bytes += bytes;
  }

  async #exchange(question: Question, body: Uint8Array, bytes: number): Promise<Uint8Array> {
    const id = this.#freeId();
    this.#open.set(id, question);
    try {
      if (this.#open.size === 1) this.#changed();
      this.#send(encodeCommand(id, question.command, body));
      return await question.answered.wait({ deadline: this.#runtime.clock.now() + this.#patienceMs });
    } finally {
      this.#open.delete(id);
      this.#asking -= 1;
      this.#bytes -= bytes;
      this.#room.wake();
      if (this.#open.size === 0) this.#changed();
    }
  }

  /** One question is asked whatever it asks for. */
  #hasRoom(bytes: number): boolean {
    return this.#asking === 0 || (this.#asking < most && this.#bytes + bytes <= mostBytes);
  }

  #freeId(): number {
    do this.#last = (this.#last + 1) % ids;
    while (this.#open.has(this.#last));
    return this.#last;
  }
}
