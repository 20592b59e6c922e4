/**
 * The interrupts of a client: for each the eventfd that the server signals, and whom that is passed on to. When the connection ends all
 * of them are released.
 */
import type { Socket } from "node:net";
import { KernelError, Mutex, type Runtime, type WaitOptions } from "parhelion-core";
import type { Eventfd } from "../../irq/eventfd.js";
import { type IrqSet, IrqSetFlag } from "../../irq/irq.js";
import { maxIrqs } from "../wire/limits.js";
import type { Conversation } from "./conversation.js";
import { encodeSetIrqs } from "./messages.js";
import { mostFdsSent, type Native, watchEventfd } from "./native.js";

interface Trigger {
  readonly eventfd: Eventfd;
  /** What reads the descriptor, and closes it. */
  readonly reader: Socket;
}

export interface TriggersInit {
  readonly runtime: Runtime;
  readonly name: string;
  readonly conversation: Conversation;
  readonly socket: Socket;
  /** Null, or none: no descriptors can be sent. */
  readonly native: Native | null;
  /** Descriptors that the server takes in one message. */
  readonly mostFds: number;
}

const { DATA_NONE, DATA_EVENTFD, ACTION_TRIGGER } = IrqSetFlag;
const nothing = (): undefined => undefined;

export class Triggers {
  readonly #init: TriggersInit;
  /** One change at a time, so that what is held here is what the server has. */
  readonly #turns: Mutex;
  /** By index and vector. */
  readonly #held = new Map<number, Map<number, Trigger>>();

  constructor(init: TriggersInit) {
    this.#init = init;
    this.#turns = new Mutex(init.runtime, `interrupts of ${init.name}`);
  }

  /** SET_IRQS. @throws KernelError as that; EOPNOTSUPP eventfds, where descriptors can't be sent */
  async set(set: IrqSet, options?: WaitOptions): Promise<void> {
    await this.#turns.withLock(() => this.#set(set, options), options);
  }

  /** The server has let go of all of them, or is gone. */
  release(): void {
    for (const index of [...this.#held.keys()]) this.#releaseAll(index);
  }

  async #set(set: IrqSet, options?: WaitOptions): Promise<void> {
    const { flags, index, start, count, data } = set;
    if (!(count >= 0 && start >= 0 && start + count <= maxIrqs))
      throw new KernelError("EINVAL", `SET_IRQS: ${count} from ${start}; an index has at most ${maxIrqs}`);
    if ((flags & DATA_EVENTFD) !== 0) {
      await this.#assign(set, options);
      return;
    }
    const bytes = data instanceof Uint8Array ? data.subarray(0, count) : new Uint8Array();
    await this.#send({ flags, index, start, count, data: bytes }, [], options);
    if (flags === (DATA_NONE | ACTION_TRIGGER) && count === 0) this.#releaseAll(index);
  }

  /** In as many messages as their descriptors take. When one fails, none of the range is assigned any more. */
  async #assign({ flags, index, start, count, data }: IrqSet, options?: WaitOptions): Promise<void> {
    if (data instanceof Uint8Array || data?.length !== count)
      throw new KernelError("EINVAL", `SET_IRQS: DATA_EVENTFD needs ${count} eventfds`);
    if ((flags & ACTION_TRIGGER) === 0)
      throw new KernelError("ENOTTY", "SET_IRQS: an eventfd can trigger, not mask");
    const given: Trigger[] = [];
    try {
      for (const { at, eventfds } of this.#messages(data)) {
        const triggers = eventfds.map((eventfd) => (eventfd === null ? null : this.#trigger(eventfd)));
        for (const trigger of triggers) if (trigger !== null) given.push(trigger.trigger);
        const fds = triggers.flatMap((trigger) => (trigger === null ? [] : [trigger.fd]));
        await this.#send({ flags, index, start: start + at, count: eventfds.length }, fds, options);
        const { over } = this.#init.conversation;
        // What is put now nobody would release.
        if (over !== null) throw over;
        for (const [i, trigger] of triggers.entries())
          this.#put(index, start + at + i, trigger?.trigger ?? null);
      }
    } catch (error) {
      await this.#takeBack({ flags, index }, given, options);
      throw error;
    }
  }

  /** Stretches of what is given and of what is taken back: a message has descriptors for all of its range, or none. */
  #messages(data: readonly (Eventfd | null)[]): readonly { at: number; eventfds: (Eventfd | null)[] }[] {
    const most = Math.min(this.#init.mostFds, mostFdsSent);
    if (data.some((eventfd) => eventfd !== null) && (this.#init.native === null || most === 0)) {
      const { name, native } = this.#init;
      const why = native === null ? "install koffi beside it" : "the server takes no descriptors";
      throw new KernelError("EOPNOTSUPP", `${name}: interrupts can't be had: ${why}`);
    }
    const messages: { at: number; eventfds: (Eventfd | null)[] }[] = [];
    for (const [at, eventfd] of data.entries()) {
      const last = messages.at(-1);
      const joins = last !== undefined && (last.eventfds[0] === null) === (eventfd === null);
      if (joins && (eventfd === null || last.eventfds.length < most)) last.eventfds.push(eventfd);
      else messages.push({ at, eventfds: [eventfd] });
    }
    return messages;
  }

  #trigger(eventfd: Eventfd): { readonly trigger: Trigger; readonly fd: number } {
    const { socket, name } = this.#init;
    const native = this.#init.native as Native;
    const fd = native.createEventfd();
    try {
      return { trigger: { eventfd, reader: watchEventfd(socket, fd, (count) => eventfd.signal(count)) }, fd };
    } catch (error) {
      native.close(fd);
      throw new KernelError("EOPNOTSUPP", `${name}: an eventfd can't be waited for here: ${String(error)}`, {
        cause: error,
      });
    }
  }

  /** The eventfds of a call that failed stay their owner's. */
  async #takeBack(
    { flags, index }: { readonly flags: number; readonly index: number },
    given: readonly Trigger[],
    options?: WaitOptions,
  ): Promise<void> {
    for (const { reader } of given) reader.destroy();
    const vectors = this.#held.get(index) ?? new Map<number, Trigger>();
    for (const [vector, trigger] of [...vectors]) {
      if (!given.includes(trigger)) continue;
      vectors.delete(vector);
      await this.#send({ flags, index, start: vector, count: 1 }, [], options).catch(nothing);
    }
  }

  async #send(
    message: Parameters<typeof encodeSetIrqs>[0],
    fds: readonly number[],
    options?: WaitOptions,
  ): Promise<void> {
    await this.#init.conversation.ask("DEVICE_SET_IRQS", encodeSetIrqs(message), nothing, options, fds);
  }

  #put(index: number, vector: number, trigger: Trigger | null): void {
    const vectors = this.#held.get(index) ?? new Map<number, Trigger>();
    this.#held.set(index, vectors);
    const former = vectors.get(vector);
    if (trigger === null) vectors.delete(vector);
    else vectors.set(vector, trigger);
    former?.reader.destroy();
    if (former !== undefined && former.eventfd !== trigger?.eventfd) former.eventfd.release?.();
  }

  #releaseAll(index: number): void {
    const vectors = this.#held.get(index);
    this.#held.delete(index);
    for (const { reader, eventfd } of vectors?.values() ?? []) {
      reader.destroy();
      eventfd.release?.();
    }
  }
}
