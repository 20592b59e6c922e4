/**
 * The host's end of one guest's VMBus connection: checks who it is, offers channels, serves what the guest asks on them,
 * and takes them back. A rescind needs nothing from the guest; only the channel's number waits for its release.
 */
import type { Duplex } from "node:stream";
import {
  Completion,
  type ErrnoCode,
  invoke,
  KernelError,
  type Named,
  type Runtime,
  type WaitOptions,
} from "parhelion-core";
import {
  NtStatus,
  ntStatusOfErrno,
  ProtocolError,
  VmbusFeature,
  type VmbusInitiateContact,
  VmbusMessage,
  type VmbusOpenChannel,
  vmbusMessage,
} from "parhelion-protocol";
import type { VmbusCarrier } from "./carrier.js";
import { HostChannel, type HostChannelInit } from "./host-channel.js";
import { type ChannelIdentity, logStale, staleDetail } from "./identity.js";
import { VmbusLink } from "./link.js";
import { decodePacket, encodeCompletion } from "./packet.js";

export interface VmbusAcceptInit {
  readonly runtime: Runtime;
  /** Who connects, for messages: a socket's address. */
  readonly peer?: string;
  /**
   * Decides on the guest's credential. Throws to refuse: the guest is told the message and the connection ends.
   * @returns feature bits of the host
   */
  authorize(contact: VmbusInitiateContact): bigint | Promise<bigint>;
}

/** Most channels that are offered to one guest at a time. */
const maxChannels = 1024;

export class VmbusHost {
  readonly #runtime: Runtime;
  /** Stands for the fields below. */
  readonly #tables: Named;
  readonly #link: VmbusLink;
  readonly #authorize: VmbusAcceptInit["authorize"];
  readonly #channels = new Map<number, HostChannel>();
  readonly #contact: Completion<VmbusInitiateContact>;
  readonly #closeListeners: ((reason: Error) => void)[] = [];
  #closeReason: Error | null = null;
  #state: "silent" | "authorizing" | "contacted" | "offering" = "silent";
  #features = 0n;
  #lastRelid = 0;
  /** Names this connection, where the guest names it back. */
  readonly #connection: string;

  /**
   * Returns when the guest has been authorized. Offers may be made from then on; the guest sees them when it asks.
   * @throws KernelError ETIMEDOUT, ECONNRESET; what authorize throws. The connection is closed then.
   */
  static async accept(
    connection: Duplex | VmbusCarrier,
    init: VmbusAcceptInit,
    options?: WaitOptions,
  ): Promise<VmbusHost> {
    const host = new VmbusHost(connection, init);
    try {
      await host.#contact.wait(options);
      return host;
    } catch (error) {
      host.close(error instanceof Error ? error : new Error(String(error)));
      throw error;
    }
  }

  private constructor(
    connection: Duplex | VmbusCarrier,
    { runtime, peer = "the guest", authorize }: VmbusAcceptInit,
  ) {
    this.#runtime = runtime;
    this.#authorize = authorize;
    this.#connection = runtime.ids.uuid();
    this.#tables = { name: `channels of ${peer}` };
    this.#contact = new Completion(runtime, `contact of ${peer}`);
    this.#link = new VmbusLink(
      runtime,
      connection,
      { peer, whenBackedUp: "hold" },
      {
        message: (type, body) => this.#onMessage(type, body),
        packet: (relid, packet) => this.#onPacket(relid, packet),
        closed: (reason) => this.#onClosed(reason),
      },
    );
  }

  get state(): "open" | "closed" {
    return this.#link.state;
  }

  /** Feature bits that both ends have. */
  get features(): bigint {
    return this.#features;
  }

  /** See Beating. */
  get lastHeard(): number {
    return this.#link.lastHeard;
  }

  /** See Beating. */
  async check(timeoutMs: number): Promise<void> {
    if ((this.features & VmbusFeature.HEARTBEAT) === 0n)
      throw new KernelError("EOPNOTSUPP", `${this.#link.peer} has no heartbeat`);
    await this.#link.check(timeoutMs);
  }

  /** See Beating. */
  cut(reason: Error): void {
    this.#link.cut(reason);
  }

  /** Called once, also when already closed; every channel has been told before. */
  onClose(listener: (reason: Error) => void): void {
    this.#access("write");
    if (this.#closeReason !== null) listener(this.#closeReason);
    else this.#closeListeners.push(listener);
  }

  /** @throws KernelError ENODEV the connection is closed, ENOSPC too many channels */
  offer(init: HostChannelInit): HostChannel {
    if (this.state === "closed") throw this.#error("ENODEV", "the guest is gone");
    this.#access("write");
    if (this.#channels.size >= maxChannels) {
      throw this.#error("ENOSPC", `${maxChannels} channels are offered to ${this.#link.peer}; rescind some`);
    }
    do {
      this.#lastRelid = this.#lastRelid === 0xffff_ffff ? 1 : this.#lastRelid + 1;
    } while (this.#channels.has(this.#lastRelid));
    const channel = new HostChannel(this.#runtime, this.#link, this.#lastRelid, init, this.#named);
    this.#channels.set(channel.relid, channel);
    if (this.#state === "offering") channel.announce();
    return channel;
  }

  /** Ends the connection; every open channel is told. Idempotent. */
  close(reason: Error = new Error("the host closed the connection")): void {
    this.#link.close(reason);
  }

  /** Whether messages name slice and generation. */
  get #named(): "named" | "not named" {
    return (this.#features & VmbusFeature.IDENTITY) === 0n ? "not named" : "named";
  }

  #onMessage(type: number, body: Uint8Array): void {
    this.#access("write");
    if (type === VmbusMessage.INITIATECONTACT) {
      this.#onContact(vmbusMessage.initiateContact.body.decode(body));
      return;
    }
    if (this.#state === "silent" || this.#state === "authorizing") {
      throw new ProtocolError("no-contact", `message ${type} before the contact was made`);
    }
    switch (type) {
      case VmbusMessage.REQUESTOFFERS:
        if (!this.#isMeant("requestOffers", vmbusMessage.requestOffers.body.decode(body))) break;
        if (this.#state === "contacted") {
          this.#state = "offering";
          for (const channel of this.#channels.values()) channel.announce();
        }
        this.#link.sendMessage(vmbusMessage.allOffersDelivered, {});
        break;
      case VmbusMessage.OPENCHANNEL: {
        this.#onOpen(vmbusMessage.openChannel.body.decode(body));
        break;
      }
      case VmbusMessage.CLOSECHANNEL:
        this.#meant("closeChannel", vmbusMessage.closeChannel.body.decode(body))?.closedByGuest();
        break;
      case VmbusMessage.RELIDRELEASED:
        this.#onReleased(this.#meant("relidReleased", vmbusMessage.relidReleased.body.decode(body)));
        break;
      case VmbusMessage.HEARTBEAT:
        this.#link.beat(vmbusMessage.heartbeat.body.decode(body));
        break;
      case VmbusMessage.UNLOAD:
        if (!this.#isMeant("unload", vmbusMessage.unload.body.decode(body))) break;
        for (const channel of this.#channels.values()) channel.closedByGuest();
        this.#link.sendMessage(vmbusMessage.unloadResponse, {});
        this.#link.close(new Error("the guest said good-bye"));
        break;
      default:
        // A newer guest may say things that this host does not know: it goes on without.
        break;
    }
  }

  /** The channel that a message means, unless it is another one by now. */
  #meant(message: string, named: ChannelIdentity & { readonly relid: number }): HostChannel | undefined {
    const channel = this.#channels.get(named.relid);
    if (channel === undefined && this.#named === "named")
      logStale(this.#runtime, message, `${named.relid}`, named);
    return channel?.isMeant(message, named) ? channel : undefined;
  }

  /** Whether a message about the connection means this one. */
  #isMeant(message: string, { connection }: { readonly connection: string }): boolean {
    if (this.#named === "not named" || connection === this.#connection) return true;
    logStale(this.#runtime, message, `connection ${connection}`, null);
    return false;
  }

  #onContact(contact: VmbusInitiateContact): void {
    if (this.#state !== "silent" && this.#named === "named") {
      // Said by whoever had this guest's credential before: what it would begin has begun.
      logStale(this.#runtime, "initiateContact", "this connection", null);
      return;
    }
    if (this.#state !== "silent") throw new ProtocolError("bad-state", "a second contact on one connection");
    this.#state = "authorizing";
    this.#runtime.scheduler.spawn(`authorize ${this.#link.peer}`, async () => {
      try {
        const features = await invoke(this.#runtime, "vmbus.authorize", this.#tables, () =>
          this.#authorize(contact),
        );
        if (this.state === "closed") return;
        this.#access("write");
        this.#features = features & contact.features;
        this.#state = "contacted";
        this.#link.sendMessage(vmbusMessage.versionResponse, {
          supported: 1,
          features,
          connection: this.#connection,
        });
        this.#contact.completeAll(contact);
      } catch (error) {
        const text = error instanceof Error ? error.message.slice(0, 1000) : String(error);
        this.#link.sendMessage(vmbusMessage.versionResponse, { supported: 0, text, code: codeOf(error) });
        this.#contact.fail(error);
      }
    });
  }

  #onOpen({ relid, openId, userData, slice, generation }: VmbusOpenChannel): void {
    const answer = (status: number): void =>
      this.#link.sendMessage(vmbusMessage.openChannelResult, { relid, openId, status, slice, generation });
    const channel = this.#meant("openChannel", { relid, slice, generation });
    if (channel === undefined) {
      answer(this.#named === "named" ? NtStatus.FILE_HANDLE_REVOKED : NtStatus.NAME_NOT_FOUND);
      return;
    }
    const refuse = (error: unknown): void => {
      const errno = errnoOf(error);
      answer(errno > 0 ? ntStatusOfErrno(-errno) : NtStatus.UNSUCCESSFUL);
      if (errno <= 0) throw error;
    };
    let opening: number;
    try {
      opening = channel.beginOpening();
    } catch (error) {
      refuse(error);
      return;
    }
    this.#runtime.scheduler.spawn(`open of channel ${channel.name}`, async () => {
      try {
        await channel.finishOpening(opening, userData, () => answer(NtStatus.SUCCESS));
      } catch (error) {
        refuse(error);
      }
    });
  }

  #onReleased(channel: HostChannel | undefined): void {
    // Until it is rescinded the number is the host's; a guest that gives it back early gains nothing.
    if (channel?.state === "rescinded") this.#channels.delete(channel.relid);
  }

  #onPacket(relid: number, packet: Uint8Array): void {
    this.#access("read");
    const channel = this.#channels.get(relid);
    if (channel !== undefined) channel.receive(packet);
    else if (this.#named === "named") this.#refuseStale(relid, packet);
    else throw new ProtocolError("unknown-channel", `a packet for channel ${relid}, which is not offered`);
  }

  /** It names what is not offered any more: whoever sent it is behind, not broken. */
  #refuseStale(relid: number, bytes: Uint8Array): void {
    const packet = decodePacket(bytes);
    if (packet.kind === "request") {
      const detail = staleDetail(packet.identity, null);
      const { transaction, identity } = packet;
      this.#link.sendPacket(
        relid,
        encodeCompletion(transaction, NtStatus.FILE_HANDLE_REVOKED, detail, identity),
      );
    }
    logStale(this.#runtime, packet.kind, `${relid}`, packet.identity);
  }

  #onClosed(reason: Error): void {
    this.#access("write");
    this.#closeReason = reason;
    for (const channel of this.#channels.values()) channel.rescind(reason.message);
    this.#channels.clear();
    this.#contact.fail(
      this.#error("ECONNRESET", `${this.#link.peer} left before the contact was made: ${reason.message}`),
    );
    for (const listener of this.#closeListeners.splice(0)) listener(reason);
  }

  #access(mode: "read" | "write"): void {
    this.#runtime.scheduler.access(this.#tables, mode);
  }

  #error(code: ErrnoCode, message: string): KernelError {
    return new KernelError(code, message);
  }
}

/** Stable, for programs; empty for an error that has none. */
function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}

/** 0 for an error that has none: a bug. */
function errnoOf(error: unknown): number {
  return error instanceof Error && "errno" in error && typeof error.errno === "number" ? error.errno : 0;
}
