/**
 * A connection to a server: commands that are under way, by their numbers, and what the server asks meanwhile. Every command ends: by
 * its answer, by its deadline, or with the connection. What can't be an answer ends the connection.
 */
import type { Socket } from "node:net";
import {
  Completion,
  deadlineOf,
  isKernelError,
  KernelError,
  type Runtime,
  type WaitOptions,
  WaitQueue,
} from "parhelion-core";
import type { ClientSocket, FrameReceiver } from "../socket/client-socket.js";
import { descriptorOf } from "../socket/intake.js";
import { Command, type CommandName, commandName } from "../wire/commands.js";
import type { Broken, Frame } from "../wire/frames.js";
import { encodeCommand, encodeError, encodeReply, type Header } from "../wire/header.js";
import { reasonOf, refusal } from "./errors.js";
import type { Native } from "./native.js";

/** Commands under way at a time; who has more waits. Our server reads no more than that ahead. */
const most = 256;
/** Questions of the server that wait for their turn; when there are so many, more stay in the socket. */
const mostQuestions = 64;
/** Those that are being answered at a time: each answer may have as much data as a message takes. */
const mostAnswers = 16;
const ids = 0x1_0000;
/** How long is waited before a socket that takes no descriptors just now is tried again, in ms. */
const againMs = 1;

interface Pending {
  readonly command: number;
  readonly answered: Completion<Uint8Array>;
}

export interface ConversationInit {
  readonly runtime: Runtime;
  /** Of the server, for people. */
  readonly name: string;
  readonly socket: Socket;
  readonly messages: ClientSocket;
  /** Null: no descriptors can be sent. */
  readonly native: Native | null;
  readonly commandMs: number;
  /** Answers a question for memory: the body of the answer. @throws KernelError what the server is told */
  serve(command: CommandName, body: Uint8Array): Promise<Uint8Array>;
  /** The last call, once, before anybody whose command fails by it hears of it. */
  ended(): void;
}

export class Conversation implements FrameReceiver {
  readonly #init: ConversationInit;
  readonly #pending = new Map<number, Pending>();
  /** One for each command that can still be sent. */
  readonly #turns: Completion;
  readonly #gone: WaitQueue;
  #last = 0;
  readonly #questions: Frame[] = [];
  #answering = 0;
  #over: KernelError | null = null;

  constructor(init: ConversationInit) {
    this.#init = init;
    this.#turns = new Completion(init.runtime, `turn to ask ${init.name}`);
    for (let turn = 0; turn < most; turn += 1) this.#turns.complete();
    this.#gone = new WaitQueue(init.runtime, `end of ${init.name}`);
  }

  /** Why there is nobody to talk to any more; null as long as there is. */
  get over(): KernelError | null {
    return this.#over;
  }

  start(): void {
    this.#init.messages.start(this);
  }

  /**
   * @param decode of the answer; what it throws ends the connection. Not called when the command fails
   * @param fds stay the caller's
   * @throws KernelError what the server answers; ENODEV the connection has ended, ETIMEDOUT, EOPNOTSUPP descriptors can't be sent
   */
  async ask<T>(
    command: CommandName,
    body: Uint8Array,
    decode: (body: Uint8Array) => T,
    options?: WaitOptions,
    fds: readonly number[] = [],
  ): Promise<T> {
    const { runtime, commandMs, messages } = this.#init;
    const deadline = options?.deadline ?? runtime.clock.now() + commandMs;
    await this.#turns.wait({ deadline });
    try {
      // Others may have filled it since it was told.
      while (this.#over === null && messages.outgoing === "full") await messages.drained({ deadline });
      if (this.#over !== null) throw this.#over;
    } catch (error) {
      this.#turns.complete();
      throw error;
    }
    const id = this.#freeId();
    const pending: Pending = {
      command: Command[command],
      answered: new Completion<Uint8Array>(runtime, `answer to ${command} of ${this.#init.name}`),
    };
    this.#pending.set(id, pending);
    const bytes = encodeCommand(id, pending.command, body);
    try {
      if (fds.length === 0) messages.send(bytes);
      else await this.#sendWith(bytes, fds, deadline);
    } catch (error) {
      this.#forget(id);
      throw error;
    }
    // After a deadline its number stays taken until the answer comes: nobody else's is to be mistaken for it.
    const answer = await pending.answered.wait({ deadline });
    try {
      return decode(answer);
    } catch (error) {
      throw this.#breakOff(error);
    }
  }

  frame(frame: Frame): void {
    const { header } = frame;
    if (this.#over !== null) return;
    if (header.type === "command") {
      this.#question(frame);
      return;
    }
    const pending = header.type === "reply" ? this.#pending.get(header.id) : undefined;
    if (pending === undefined || pending.command !== header.command) {
      this.#breakOff(
        new KernelError("EPROTO", `message ${header.id} about command ${header.command} answers nothing`),
      );
      return;
    }
    this.#forget(header.id);
    const what = `${this.#init.name} refused ${commandName(header.command)}`;
    if (header.errno === 0) pending.answered.completeAll(frame.body);
    else pending.answered.fail(refusal(what, header.errno));
  }

  broken({ error }: Broken): void {
    this.#breakOff(error);
  }

  /** The server is gone, or cuts the connection. */
  ended(error: Error | null): void {
    const why = error === null ? "the server hung up" : error.message;
    this.end(new KernelError("ENODEV", `${this.#init.name}: ${why}`, { cause: error }));
  }

  /** Nothing is asked or answered from here on. The first reason counts. */
  end(reason: KernelError): void {
    if (this.#over !== null) return;
    this.#over = reason;
    this.#init.ended();
    for (const { answered } of this.#pending.values()) answered.fail(reason);
    this.#pending.clear();
    this.#questions.length = 0;
    this.#turns.fail(reason);
    this.#gone.wake();
  }

  #question(frame: Frame): void {
    const { messages, runtime, name } = this.#init;
    this.#questions.push(frame);
    if (this.#questions.length >= mostQuestions) messages.hold();
    if (this.#answering >= mostAnswers) return;
    this.#answering += 1;
    runtime.scheduler.spawn(`answers to ${name}`, async () => {
      try {
        for (let next = this.#next(); next !== undefined; next = this.#next())
          await this.#answer(next.header, next.body);
      } finally {
        this.#answering -= 1;
      }
    });
  }

  #next(): Frame | undefined {
    const next = this.#questions.shift();
    if (this.#questions.length < mostQuestions) this.#init.messages.resume();
    return next;
  }

  async #answer({ id, command, answer }: Header, body: Uint8Array): Promise<void> {
    const { messages, runtime, name, commandMs } = this.#init;
    let reply: Uint8Array;
    try {
      const known = commandName(command);
      if (known === undefined) throw new KernelError("EOPNOTSUPP", `there is no command ${command}`);
      reply = encodeReply(id, command, await this.#init.serve(known, body));
    } catch (error) {
      runtime.log("debug", "vfio-user.question-refused", { server: name, command, error });
      reply = encodeError(id, command, isKernelError(error) ? error.errno : EFAULT);
    }
    if (answer === "wanted") messages.send(reply);
    try {
      await messages.drained({ deadline: runtime.clock.now() + commandMs });
    } catch {
      this.#breakOff(new KernelError("EPROTO", `it reads no answers for ${commandMs} ms`));
    }
  }

  /** Between what Node sends, not within. */
  async #sendWith(bytes: Uint8Array, fds: readonly number[], deadline: number): Promise<void> {
    const { native, socket, runtime, name } = this.#init;
    if (native === null)
      throw new KernelError("EOPNOTSUPP", `${name}: descriptors can't be sent: install koffi`);
    for (;;) {
      if (this.#over !== null) throw this.#over;
      const fd = socket.writableLength === 0 ? descriptorOf(socket) : -1;
      if (fd >= 0 && native.send(fd, bytes, fds) === "sent") return;
      if (runtime.clock.now() >= deadline)
        throw new KernelError("ETIMEDOUT", `${name} takes nothing that is sent`);
      await this.#pause(againMs);
    }
  }

  async #pause(ms: number): Promise<void> {
    const { runtime } = this.#init;
    try {
      const deadline = deadlineOf(runtime, { deadline: runtime.clock.now() + ms });
      await this.#gone.wait(() => this.#over !== null, { deadline });
    } catch {
      // That is what was waited for.
    }
  }

  /** The server can't be followed: what it sends is not the protocol. @returns what everybody is told */
  #breakOff(error: unknown): KernelError {
    const message = `${this.#init.name}: the server broke the protocol: ${reasonOf(error)}`;
    this.end(new KernelError("ENODEV", message, { cause: error }));
    this.#init.socket.destroy();
    return this.#over as KernelError;
  }

  #forget(id: number): void {
    if (this.#pending.delete(id)) this.#turns.complete();
  }

  #freeId(): number {
    do this.#last = (this.#last + 1) % ids;
    while (this.#pending.has(this.#last));
    return this.#last;
  }
}

const EFAULT = 14;
