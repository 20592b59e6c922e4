/**
 * The interrupts of a client: for each the eventfd that the server signals, and whom that is passed on to; and those that the server
 * listens to, to mask and unmask. When the connection ends all of them are released.
 */
import type { Socket } from "node:net";
import { KernelError, Mutex, type Runtime, type WaitOptions } from "parhelion-core";
import type { Eventfd } from "../../irq/eventfd.js";
import { type IrqSet, IrqSetFlag } from "../../irq/irq.js";
import { maxIrqs } from "../wire/limits.js";
import type { Conversation } from "./conversation.js";
import { encodeSetIrqs } from "./messages.js";
import { mostFdsSent, type Native, watchEventfd } from "./native.js";

interface Held {
  readonly eventfd: Eventfd;
  /** Nothing is passed on any more, and the descriptor is closed. */
  end(): void;
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

const { DATA_NONE, DATA_EVENTFD, ACTION_TRIGGER, ACTION_MASK, ACTION_UNMASK } = IrqSetFlag;
const actions = ACTION_TRIGGER | ACTION_MASK | ACTION_UNMASK;
const nothing = (): undefined => undefined;

export class Triggers {
  readonly #init: TriggersInit;
  /** One change at a time, so that what is held here is what the server has. */
  readonly #turns: Mutex;
  /** By index, and by what they do with which vector. */
  readonly #held = new Map<number, Map<string, Held>>();

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
    const { over } = this.#init.conversation;
    if (over !== null) throw over;
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
    const isTrigger = (flags & actions) === ACTION_TRIGGER;
    if (!isTrigger && data.some((eventfd) => eventfd !== null && eventfd.listen === undefined))
      throw new KernelError("EINVAL", "SET_IRQS: an eventfd that can't be listened to can't mask");
    const given: Held[] = [];
    try {
      for (const { at, eventfds } of this.#messages(data)) {
        const fds: number[] = [];
        const made = eventfds.map((eventfd) => {
          if (eventfd === null) return null;
          const { held, fd } = isTrigger ? this.#trigger(eventfd) : this.#listener(eventfd);
          given.push(held);
          fds.push(fd);
          return held;
        });
        await this.#send({ flags, index, start: start + at, count: eventfds.length }, fds, options);
        const { over } = this.#init.conversation;
        // What is put now nobody would release.
        if (over !== null) throw over;
        for (const [i, held] of made.entries()) this.#put(index, keyOf(flags, start + at + i), held);
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

  #trigger(eventfd: Eventfd): { readonly held: Held; readonly fd: number } {
    const { socket, name } = this.#init;
    const native = this.#init.native as Native;
    const fd = native.createEventfd();
    try {
      const reader = watchEventfd(socket, fd, (count) => eventfd.signal(count));
      return { held: { eventfd, end: () => void reader.destroy() }, fd };
    } catch (error) {
      native.close(fd);
      throw new KernelError("EOPNOTSUPP", `${name}: an eventfd can't be waited for here: ${String(error)}`, {
        cause: error,
      });
    }
  }

  #listener(eventfd: Eventfd): { readonly held: Held; readonly fd: number } {
    const native = this.#init.native as Native;
    try {
      native.prepareToSignal();
    } catch (cause) {
      const { name } = this.#init;
      throw new KernelError("EOPNOTSUPP", `${name}: an eventfd can't be signalled here: ${String(cause)}`, {
        cause,
      });
    }
    const fd = native.createEventfd();
    const stop = eventfd.listen?.(() => native.signal(fd));
    const end = (): void => {
      stop?.();
      native.close(fd);
    };
    return { held: { eventfd, end }, fd };
  }

  /** The eventfds of a call that failed stay their owner's. */
  async #takeBack(
    { flags, index }: { readonly flags: number; readonly index: number },
    given: readonly Held[],
    options?: WaitOptions,
  ): Promise<void> {
    for (const { end } of given) end();
    const entries = this.#held.get(index) ?? new Map<string, Held>();
    for (const [key, held] of [...entries]) {
      if (!given.includes(held)) continue;
      entries.delete(key);
      await this.#send({ flags, index, start: vectorIn(key), count: 1 }, [], options).catch(nothing);
    }
  }

  async #send(
    message: Parameters<typeof encodeSetIrqs>[0],
    fds: readonly number[],
    options?: WaitOptions,
  ): Promise<void> {
    await this.#init.conversation.ask("DEVICE_SET_IRQS", encodeSetIrqs(message), nothing, options, fds);
  }

  #put(index: number, key: string, held: Held | null): void {
    const entries = this.#held.get(index) ?? new Map<string, Held>();
    this.#held.set(index, entries);
    const former = entries.get(key);
    if (held === null) entries.delete(key);
    else entries.set(key, held);
    former?.end();
    if (former !== undefined && former.eventfd !== held?.eventfd) former.eventfd.release?.();
  }

  #releaseAll(index: number): void {
    const entries = this.#held.get(index);
    this.#held.delete(index);
    for (const { eventfd, end } of entries?.values() ?? []) {
      end();
      eventfd.release?.();
    }
  }
}

const keyOf = (flags: number, vector: number): string => `${flags & actions}.${vector}`;
const vectorIn = (key: string): number => Number(key.slice(key.indexOf(".") + 1));
