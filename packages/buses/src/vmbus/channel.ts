/**
 * The guest's end of one channel: offered → opening → open → closed, and from anywhere → rescinded.
 *
 * A rescind is told here first, synchronously: requests that wait get ENODEV, sends are refused. Only then is the
 * device unregistered and its driver's remove called.
 */
import {
  Completion,
  KernelError,
  type Runtime,
  StateMachine,
  type Transitions,
  type WaitOptions,
} from "parhelion-core";
import { ControlError, type Exchange, errnoOfNtStatus, type Notice, vmbusMessage } from "parhelion-protocol";
import { type ChannelIdentity, logStale, sameIdentity } from "./identity.js";
import type { VmbusLink } from "./link.js";
import { type AskInit, type CommandHandlers, PacketEndpoint, type RequestInit } from "./packet-endpoint.js";

export type ChannelState = "offered" | "opening" | "open" | "closed" | "rescinded";

const transitions: Transitions<ChannelState> = {
  offered: ["opening", "rescinded"],
  opening: ["open", "closed", "rescinded"],
  open: ["closed", "rescinded"],
  closed: ["opening", "rescinded"],
  rescinded: [],
};

export interface OpenInit extends CommandHandlers {
  /** Goes into the header of everything sent on this channel (see ChannelType). */
  readonly channelType: number;
  /** At most 120 bytes. */
  readonly userData?: Uint8Array;
}

export class VmbusChannel {
  readonly name: string;
  readonly relid: number;
  /** Null between ends that have not agreed to name it. */
  readonly identity: ChannelIdentity | null;
  readonly #runtime: Runtime;
  readonly #link: VmbusLink;
  readonly #state: StateMachine<ChannelState>;
  #opened: Completion<number> | null = null;
  #openId = 0;
  #endpoint: PacketEndpoint | null = null;
  #gone: KernelError | null = null;
  #goneBecause: string | null = null;

  constructor(
    runtime: Runtime,
    link: VmbusLink,
    relid: number,
    name: string,
    identity: ChannelIdentity | null,
  ) {
    this.#runtime = runtime;
    this.#link = link;
    this.identity = identity;
    this.relid = relid;
    this.name = name;
    this.#state = new StateMachine(runtime, `channel ${name}`, transitions, "offered");
  }

  get state(): ChannelState {
    return this.#state.state;
  }

  /** The host's words when it took the channel back, or why the connection ended; null before. */
  get goneBecause(): string | null {
    return this.#goneBecause;
  }

  /**
   * The handlers are in place before the host hears of the opening.
   * @throws KernelError ENODEV rescinded, EINVAL not closed, ETIMEDOUT; ControlError what the host refused with
   */
  async open(init: OpenInit, options?: WaitOptions): Promise<void> {
    const before = this.state;
    if (this.#gone !== null) throw this.#gone;
    if (before !== "offered" && before !== "closed") {
      throw new KernelError("EINVAL", `open of channel ${this.name}, which is ${before}`);
    }
    this.#state.moveTo("opening");
    this.#openId++;
    const opened = new Completion<number>(this.#runtime, `open of channel ${this.name}`);
    this.#opened = opened;
    const endpoint = new PacketEndpoint(
      this.#runtime,
      this.name,
      init.channelType,
      this.identity,
      init,
      (packet) => this.#link.sendPacket(this.relid, packet),
    );
    this.#endpoint = endpoint;
    const { userData } = init;
    this.#link.sendMessage(vmbusMessage.openChannel, {
      relid: this.relid,
      openId: this.#openId,
      ...this.identity,
      ...(userData === undefined ? {} : { userData }),
    });
    try {
      const errno = -errnoOfNtStatus(await opened.wait(options));
      if (errno !== 0)
        throw new ControlError(errno, `${this.#link.peer} refused to open channel ${this.name}`);
      if (this.#gone !== null) throw this.#gone;
      this.#state.moveTo("open");
    } catch (error) {
      endpoint.fail(new KernelError("ENODEV", `channel ${this.name} was not opened`, { cause: error }));
      // The host may have opened it, its answer being late.
      if (this.state === "opening") this.#closeWith();
      throw error;
    }
  }

  /** What waits gets ENODEV. Without effect on a channel that is not open. */
  close(): void {
    if (this.state !== "open") return;
    this.#endpoint?.fail(new KernelError("ENODEV", `channel ${this.name} was closed`));
    this.#closeWith();
  }

  /** As PacketEndpoint.request. @throws KernelError ENODEV when the channel is not open */
  async request<Q, R>(exchange: Exchange<Q, R>, value: Partial<Q>, init?: AskInit<R>): Promise<R> {
    return this.#live().request(exchange, value, init);
  }

  /** As PacketEndpoint.notify. @throws KernelError ENODEV when the channel is not open */
  notify<T>(notice: Notice<T>, value: Partial<T>, init?: RequestInit): void {
    this.#live().notify(notice, value, init);
  }

  /** As PacketEndpoint.cancel. Without effect on a channel that is not open. */
  cancel(process: number): void {
    if (this.state === "open") this.#endpoint?.cancel(process);
  }

  /**
   * Only the connection calls this, of each message of VMBus's own about this channel.
   * @returns whether it means this channel, and not one that had its number before
   */
  isMeant(message: string, named: ChannelIdentity): boolean {
    if (this.identity === null || sameIdentity(this.identity, named)) return true;
    logStale(this.#runtime, message, this.name, named);
    return false;
  }

  /** Only the connection calls this. */
  openResult(openId: number, status: number): void {
    if (this.state === "opening" && openId === this.#openId) this.#opened?.completeAll(status);
  }

  /** Only the connection calls this. @throws ProtocolError the packet is malformed */
  receive(packet: Uint8Array): void {
    // Packets may cross with our close: they are for nobody.
    if (this.state === "open" || this.state === "opening") this.#endpoint?.receive(packet);
  }

  /** Only the connection calls this. Waits for nothing. */
  rescind(reason: string): void {
    if (this.state === "rescinded") return;
    this.#goneBecause = reason;
    this.#gone = new KernelError("ENODEV", `channel ${this.name} was rescinded: ${reason}`);
    this.#endpoint?.fail(this.#gone);
    this.#opened?.fail(this.#gone);
    this.#state.moveTo("rescinded");
  }

  #closeWith(): void {
    this.#link.sendMessage(vmbusMessage.closeChannel, { relid: this.relid, ...this.identity });
    this.#state.moveTo("closed");
  }

  #live(): PacketEndpoint {
    const { state } = this;
    if (this.#gone !== null) throw this.#gone;
    if (state !== "open" || this.#endpoint === null) {
      throw new KernelError("ENODEV", `channel ${this.name} is ${state}, not open`);
    }
    return this.#endpoint;
  }
}
