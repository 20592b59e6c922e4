/** The host's end of one channel: offered → opening → open → offered again when the guest closes; → rescinded for good. */
import {
  invoke,
  KernelError,
  Mutex,
  noDeadline,
  type Runtime,
  StateMachine,
  type Transitions,
} from "parhelion-core";
import { type Exchange, type Notice, vmbusMessage } from "parhelion-protocol";
import { type ChannelIdentity, logStale, sameIdentity } from "./identity.js";
import type { VmbusLink } from "./link.js";
import { ChannelType } from "./packet.js";
import { type AskInit, type CommandHandlers, PacketEndpoint, type RequestInit } from "./packet-endpoint.js";

export type HostChannelState = "offered" | "opening" | "open" | "rescinded";

const transitions: Transitions<HostChannelState> = {
  offered: ["opening", "rescinded"],
  opening: ["open", "offered", "rescinded"],
  open: ["offered", "rescinded"],
  rescinded: [],
};

/** What the host does on a channel. `request` and `message` are called only while it is open. */
export interface HostChannelInit extends CommandHandlers {
  readonly interfaceType: string;
  readonly interfaceInstance: string;
  /** Whose it is, for all its life. Default: of no slice. */
  readonly identity?: ChannelIdentity;
  readonly mmioMegabytes?: number;
  /** At most 120 bytes. */
  readonly userData?: Uint8Array;
  /** The guest opens the channel. Throws an error with `errno` to refuse. */
  open?(userData: Uint8Array): void | Promise<void>;
  /** Called once for each open that succeeded: the guest closed it, it was rescinded, or the guest is gone. */
  close?(reason: string): void;
}

export class HostChannel {
  readonly relid: number;
  readonly name: string;
  /** Null between ends that have not agreed to name it. */
  readonly identity: ChannelIdentity | null;
  readonly #runtime: Runtime;
  readonly #link: VmbusLink;
  readonly #init: HostChannelInit;
  readonly #state: StateMachine<HostChannelState>;
  /** One at a time: the host's open and close come in pairs. */
  readonly #openings: Mutex;
  /** The guest's attempts are numbered. */
  #lastOpening = 0;
  #endpoint: PacketEndpoint | null = null;
  /** Whether the guest has heard of it. */
  #announced: "no" | "yes" = "no";

  /** @param named whether the ends have agreed to name the identity */
  constructor(
    runtime: Runtime,
    link: VmbusLink,
    relid: number,
    init: HostChannelInit,
    named: "named" | "not named",
  ) {
    this.#runtime = runtime;
    const { identity = { slice: init.interfaceInstance, generation: 0n } } = init;
    this.identity = named === "named" ? identity : null;
    this.#link = link;
    this.relid = relid;
    this.name = `${init.interfaceInstance}#${relid}`;
    this.#init = init;
    this.#openings = new Mutex(runtime, `openings of ${this.name}`);
    this.#state = new StateMachine(runtime, `host channel ${this.name}`, transitions, "offered");
  }

  get state(): HostChannelState {
    return this.#state.state;
  }

  /** Takes the channel back. Waits for nothing: what waits on it gets ENODEV now. Idempotent. */
  rescind(reason: string): void {
    if (this.state === "rescinded") return;
    const was = this.state;
    this.#state.moveTo("rescinded");
    if (this.#announced === "yes")
      this.#link.sendMessage(vmbusMessage.rescind, { relid: this.relid, reason, ...this.identity });
    this.#ended(was, `rescinded: ${reason}`);
  }

  /** As PacketEndpoint.request. @throws KernelError ENODEV when the guest has not opened the channel */
  async request<Q, R>(exchange: Exchange<Q, R>, value: Partial<Q>, init?: AskInit<R>): Promise<R> {
    return this.#live().request(exchange, value, init);
  }

  /** As PacketEndpoint.notify. @throws KernelError ENODEV when the guest has not opened the channel */
  notify<T>(notice: Notice<T>, value: Partial<T>, init?: RequestInit): void {
    this.#live().notify(notice, value, init);
  }

  /** Only the connection calls this. */
  announce(): void {
    if (this.state === "rescinded" || this.#announced === "yes") return;
    this.#announced = "yes";
    const { interfaceType, interfaceInstance, mmioMegabytes = 0, userData = new Uint8Array(0) } = this.#init;
    this.#link.sendMessage(vmbusMessage.offerChannel, {
      relid: this.relid,
      interfaceType,
      interfaceInstance,
      flags: 1,
      mmioMegabytes,
      userData,
      ...this.identity,
    });
  }

  /**
   * Only the connection calls this, of each message of VMBus's own about this channel.
   * @returns whether it means this channel, and not one of another slice or generation
   */
  isMeant(message: string, named: ChannelIdentity): boolean {
    if (this.identity === null || sameIdentity(this.identity, named)) return true;
    logStale(this.#runtime, message, this.name, named);
    return false;
  }

  /**
   * Only the connection calls this, as the message arrives: what arrives next finds the channel opening.
   * @returns the attempt's number
   * @throws KernelError EINVAL it is open, or being opened
   */
  beginOpening(): number {
    const before = this.state;
    if (before !== "offered") {
      throw new KernelError("EINVAL", `open of channel ${this.name}, which is ${before}`);
    }
    this.#state.moveTo("opening");
    this.#lastOpening += 1;
    return this.#lastOpening;
  }

  /**
   * Only the connection calls this. Not before an opening that the guest has given up is over and closed.
   * @param opened tells the guest, before anything else is sent on the channel
   * @throws KernelError ENODEV the guest has given this one up, or the channel was rescinded; what the host's open throws
   */
  async finishOpening(opening: number, userData: Uint8Array, opened: () => void): Promise<void> {
    await this.#openings.withLock(
      async () => {
        if (!this.#isNow(opening)) throw this.#wentMeanwhile();
        try {
          await invoke(this.#runtime, "channel.open", this, () => this.#init.open?.(userData));
        } catch (error) {
          if (this.#isNow(opening)) this.#state.moveTo("offered");
          throw error;
        }
        if (!this.#isNow(opening)) {
          this.#init.close?.("gone while it was being opened");
          throw this.#wentMeanwhile();
        }
        this.#endpoint = new PacketEndpoint(
          this.#runtime,
          this.name,
          ChannelType.HOST_TO_VM,
          this.identity,
          this.#init,
          (packet) => this.#link.sendPacket(this.relid, packet),
        );
        this.#state.moveTo("open");
        opened();
      },
      { deadline: noDeadline },
    );
  }

  /** Only the connection calls this. */
  closedByGuest(): void {
    if (this.state !== "open" && this.state !== "opening") return;
    const was = this.state;
    this.#state.moveTo("offered");
    this.#ended(was, "closed by the guest");
  }

  /** Only the connection calls this. @throws ProtocolError the packet is malformed */
  receive(packet: Uint8Array): void {
    // Packets may cross with a rescind: they are for nobody.
    if (this.state === "open") this.#endpoint?.receive(packet);
  }

  /** Whether it is what the guest waits for: not one that it has given up. */
  #isNow(opening: number): boolean {
    return this.state === "opening" && this.#lastOpening === opening;
  }

  #wentMeanwhile(): KernelError {
    return new KernelError("ENODEV", `channel ${this.name} went while it was being opened`);
  }

  #ended(was: HostChannelState, reason: string): void {
    this.#endpoint?.fail(new KernelError("ENODEV", `channel ${this.name} is gone (${reason})`));
    this.#endpoint = null;
    if (was === "open") this.#init.close?.(reason);
  }

  #live(): PacketEndpoint {
    const { state } = this;
    if (this.#endpoint === null)
      throw new KernelError("ENODEV", `channel ${this.name} is ${state}, not open`);
    return this.#endpoint;
  }
}
