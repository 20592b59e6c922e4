/** What the server asks the client: bytes of memory that it can't reach by itself. Every question ends, by an answer or a deadline. */
import { Completion, KernelError, type Runtime } from "parhelion-core";
import type { Frame } from "../wire/frames.js";
import { encodeCommand } from "../wire/header.js";
import { commandNumber } from "../wire/request.js";

/** Questions under way at a time; a device that has more waits for none of them. */
const most = 256;
const ids = 0x1_0000;

interface Question {
  readonly command: number;
  readonly answered: Completion<Uint8Array>;
}

export class Questions {
  readonly #runtime: Runtime;
  readonly #send: (bytes: Uint8Array) => void;
  readonly #patienceMs: number;
  readonly #open = new Map<number, Question>();
  #last = 0;
  #over: KernelError | null = null;

  /** @param patienceMs for one answer */
  constructor(runtime: Runtime, send: (bytes: Uint8Array) => void, patienceMs: number) {
    this.#runtime = runtime;
    this.#send = send;
    this.#patienceMs = patienceMs;
  }

  /**
   * @returns what the answer has after its header
   * @throws KernelError EFAULT the client refused, ETIMEDOUT it did not answer, EBUSY too many questions, ENODEV it has gone
   */
  async ask(command: "DMA_READ" | "DMA_WRITE", body: Uint8Array): Promise<Uint8Array> {
    if (this.#over !== null) throw this.#over;
    if (this.#open.size >= most)
      throw new KernelError("EBUSY", `${most} accesses to the client's memory at once`);
    const id = this.#freeId();
    const question = {
      command: commandNumber(command),
      answered: new Completion<Uint8Array>(this.#runtime, `answer to ${command}`),
    };
    this.#open.set(id, question);
    try {
      this.#send(encodeCommand(id, question.command, body));
      return await question.answered.wait({ deadline: this.#runtime.clock.now() + this.#patienceMs });
    } finally {
      this.#open.delete(id);
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

  /** Waits until those that are open now have ended, each by its own deadline. */
  async settled(): Promise<void> {
    const deadline = this.#runtime.clock.now() + this.#patienceMs;
    for (const { answered } of [...this.#open.values()]) {
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
    for (const { answered } of this.#open.values()) answered.fail(this.#over);
  }

  #freeId(): number {
    do this.#last = (this.#last + 1) % ids;
    while (this.#open.has(this.#last));
    return this.#last;
  }
}
