/**
 * The guest's end of a VMBus connection: makes contact, turns each offer into a device on the bus and each rescind into
 * its removal. The devices hang below one root device of this connection, so that two connections of one system keep
 * apart what is theirs.
 */
import type { Duplex } from "node:stream";
import {
  type Bus,
  Completion,
  Device,
  KernelError,
  type Named,
  noDeadline,
  type System,
  type WaitOptions,
} from "parhelion-core";
import {
  ProtocolError,
  VmbusFeature,
  VmbusMessage,
  type VmbusOfferChannel,
  type VmbusVersionResponse,
  vmbusFeatures,
  vmbusMessage,
} from "parhelion-protocol";
import type { VmbusCarrier } from "./carrier.js";
import { VmbusChannel } from "./channel.js";
import { VmbusDevice, type VmbusDriver } from "./device.js";
import { type ChannelIdentity, logStale } from "./identity.js";
import { VmbusLink } from "./link.js";
import { decodePacket } from "./packet.js";
import { VmbusRefusedError } from "./refused.js";

/** Most channels that one host may offer at a time. */
export const MAX_CHANNELS = 1024;

export interface VmbusConnectInit {
  /** Name of the root device, and of this guest in the host's log. */
  readonly name: string;
  readonly credential: string;
  /** Feature bits of this guest. Default: all that it has. */
  readonly features?: bigint;
}

interface Offered {
  readonly offer: VmbusOfferChannel;
  readonly channel: VmbusChannel;
  /** Its device was added and probed, or will have to wait for its predecessor's removal. */
  readonly settled: Completion;
  readonly rescinded: Completion;
  /** Its device is gone. */
  readonly left: Completion;
}

export class VmbusConnection {
  /** Parent of this connection's devices. */
  readonly root: Device;
  readonly #system: System;
  readonly #bus: Bus<VmbusDevice, VmbusDriver>;
  /** Stands for the tables below. */
  readonly #tables: Named;
  readonly #link: VmbusLink;
  /** By relid. */
  readonly #offers = new Map<number, Offered>();
  /** By instance, the latest. */
  readonly #instances = new Map<string, Offered>();
  readonly #contact: Completion;
  readonly #delivered: Completion;
  readonly #unloaded: Completion;
  readonly #ended: Completion;
  readonly #closeListeners: ((reason: Error) => void)[] = [];
  #closeReason: Error | null = null;
  #features = 0n;
  /** What this guest would have. */
  #wished = 0n;
  /** The host's name of this connection. */
  #connection = "";
  /** By slice, the latest that was offered: the host never goes back. */
  readonly #generations = new Map<string, bigint>();

  /**
   * Returns when the host has accepted this guest and the offers that it has at once were added and probed.
   * @param bus a registered bus
   * @throws VmbusRefusedError with the host's words; KernelError ETIMEDOUT, ECONNRESET
   */
  static async connect(
    system: System,
    bus: Bus<VmbusDevice, VmbusDriver>,
    connection: Duplex | VmbusCarrier,
    init: VmbusConnectInit,
    options?: WaitOptions,
  ): Promise<VmbusConnection> {
    const made = new VmbusConnection(system, bus, connection, init.name);
    try {
      await made.#makeContact(init, options);
      return made;
    } catch (error) {
      await made.close(new Error("no contact", { cause: error }));
      throw error;
    }
  }

  private constructor(
    system: System,
    bus: Bus<VmbusDevice, VmbusDriver>,
    connection: Duplex | VmbusCarrier,
    name: string,
  ) {
    const { runtime } = system;
    this.#system = system;
    this.#bus = bus;
    this.#tables = { name: `offers to ${name}` };
    this.root = new Device(runtime, { name });
    this.#contact = new Completion(runtime, "contact with the host");
    this.#delivered = new Completion(runtime, "delivery of the offers");
    this.#unloaded = new Completion(runtime, "unload");
    this.#ended = new Completion(runtime, `end of ${name}`);
    this.#link = new VmbusLink(
      runtime,
      connection,
      { peer: "the host", whenBackedUp: "read" },
      {
        message: (type, body) => this.#onMessage(type, body),
        packet: (relid, packet) => this.#onPacket(relid, packet),
        closed: (reason) => this.#onLinkClosed(reason),
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

  /** Called once, also when already closed; the devices may still be on their way out. */
  onClose(listener: (reason: Error) => void): void {
    this.#access("write");
    if (this.#closeReason !== null) listener(this.#closeReason);
    else this.#closeListeners.push(listener);
  }

  /**
   * Ends what waits on the channels, says good-bye to the host, and returns when all devices are gone. Idempotent.
   * @throws KernelError ETIMEDOUT a driver has not let go of its device yet
   */
  async close(reason: Error = new Error("the guest leaves"), options?: WaitOptions): Promise<void> {
    if (this.#link.state === "open") {
      this.#access("read");
      for (const offered of this.#offers.values()) rescind(offered, reason.message);
      this.#link.sendMessage(vmbusMessage.unload, this.#named);
      try {
        await this.#unloaded.wait({ deadline: this.#system.runtime.clock.now() + unloadMs });
      } catch {
        // A host that does not answer hears it from the connection's end.
      }
      this.#link.close(reason);
    }
    await this.#ended.wait(options);
  }

  async #makeContact(init: VmbusConnectInit, options?: WaitOptions): Promise<void> {
    await this.#system.addDevice(this.root);
    const { credential, features = vmbusFeatures, name } = init;
    this.#wished = features;
    this.#link.sendMessage(vmbusMessage.initiateContact, { features, credential, name });
    await this.#contact.wait(options);
    this.#link.sendMessage(vmbusMessage.requestOffers, this.#named);
    await this.#delivered.wait(options);
  }

  #onMessage(type: number, body: Uint8Array): void {
    switch (type) {
      case VmbusMessage.VERSIONRESPONSE: {
        this.#onAnswer(vmbusMessage.versionResponse.body.decode(body));
        break;
      }
      case VmbusMessage.OFFERCHANNEL:
        this.#onOffer(vmbusMessage.offerChannel.body.decode(body));
        break;
      case VmbusMessage.RESCIND: {
        const { relid, reason, slice, generation } = vmbusMessage.rescind.body.decode(body);
        this.#access("read");
        const offered = this.#offers.get(relid);
        if (offered?.channel.isMeant("rescind", { slice, generation })) rescind(offered, reason);
        break;
      }
      case VmbusMessage.ALLOFFERSDELIVERED:
        this.#onAllOffers();
        break;
      case VmbusMessage.OPENCHANNELRESULT: {
        const { relid, openId, status, slice, generation } = vmbusMessage.openChannelResult.body.decode(body);
        this.#access("read");
        const channel = this.#offers.get(relid)?.channel;
        if (channel?.isMeant("openChannelResult", { slice, generation })) channel.openResult(openId, status);
        break;
      }
      case VmbusMessage.HEARTBEAT:
        this.#link.beat(vmbusMessage.heartbeat.body.decode(body));
        break;
      case VmbusMessage.UNLOADRESPONSE:
        this.#unloaded.completeAll();
        break;
      default:
        // A newer host may say things that this guest does not know: it goes on without.
        break;
    }
  }

  /** How messages about the connection name it. */
  get #named(): { readonly connection?: string } {
    return this.#connection === "" ? {} : { connection: this.#connection };
  }

  #onAnswer({ supported, features, text, code, connection }: VmbusVersionResponse): void {
    if (this.#contact.done) return;
    if (supported !== 1) {
      this.#contact.fail(new VmbusRefusedError(code, text === "" ? "the host refused this guest" : text));
      return;
    }
    this.#features = features & this.#wished;
    if (this.#has(VmbusFeature.IDENTITY)) this.#connection = connection;
    this.#contact.completeAll();
  }

  #has(feature: bigint): boolean {
    return (this.#features & feature) !== 0n;
  }

  #onPacket(relid: number, packet: Uint8Array): void {
    this.#access("read");
    const offered = this.#offers.get(relid);
    if (offered === undefined && this.#has(VmbusFeature.IDENTITY)) {
      const { kind, identity } = decodePacket(packet);
      logStale(this.#system.runtime, kind, `${relid}`, identity);
      return;
    }
    if (offered === undefined) {
      throw new ProtocolError("unknown-channel", `a packet for channel ${relid}, which was not offered`);
    }
    offered.channel.receive(packet);
  }

  #onOffer(offer: VmbusOfferChannel): void {
    this.#access("write");
    const { relid, interfaceInstance, slice, generation } = offer;
    const identity = this.#has(VmbusFeature.IDENTITY) ? { slice, generation } : null;
    if (identity !== null && this.#isOld(identity)) {
      logStale(this.#system.runtime, "offerChannel", `${interfaceInstance}#${relid}`, identity);
      return;
    }
    if (relid === 0 || this.#offers.has(relid)) {
      throw new ProtocolError("bad-offer", `channel number ${relid} is reserved or in use`);
    }
    if (this.#offers.size >= MAX_CHANNELS) {
      throw new ProtocolError("too-many", `more than ${MAX_CHANNELS} channels were offered`);
    }
    const { runtime } = this.#system;
    const name = `${interfaceInstance}#${relid}`;
    const offered: Offered = {
      offer,
      channel: new VmbusChannel(runtime, this.#link, relid, name, identity),
      settled: new Completion(runtime, `probe of channel ${name}`),
      rescinded: new Completion(runtime, `rescind of channel ${name}`),
      left: new Completion(runtime, `removal of channel ${name}`),
    };
    const predecessor = this.#instances.get(interfaceInstance);
    this.#offers.set(relid, offered);
    this.#instances.set(interfaceInstance, offered);
    runtime.scheduler.spawn(`channel ${name}`, () => this.#lifeOf(offered, predecessor));
  }

  /** Whether a later generation of the slice has been offered. */
  #isOld({ slice, generation }: ChannelIdentity): boolean {
    const latest = this.#generations.get(slice) ?? 0n;
    if (generation < latest) return true;
    this.#generations.set(slice, generation);
    return false;
  }

  /** A task for each offer, from its arrival until its number is given back. */
  async #lifeOf(offered: Offered, predecessor: Offered | undefined): Promise<void> {
    const { offer, settled, rescinded, left } = offered;
    if (predecessor !== undefined) {
      settled.completeAll();
      // Its device has the same name; the host has rescinded it, or offers the same thing twice and has to.
      await predecessor.left.wait({ deadline: noDeadline });
    }
    const device = rescinded.done ? null : await this.#add(offered);
    settled.completeAll();
    await rescinded.wait({ deadline: noDeadline });
    if (device !== null) await this.#system.unregisterDevice(device, { deadline: noDeadline });
    this.#access("write");
    this.#offers.delete(offer.relid);
    if (this.#instances.get(offer.interfaceInstance) === offered)
      this.#instances.delete(offer.interfaceInstance);
    this.#link.sendMessage(vmbusMessage.relidReleased, { relid: offer.relid, ...offered.channel.identity });
    left.completeAll();
  }

  async #add(offered: Offered): Promise<VmbusDevice | null> {
    const { runtime } = this.#system;
    const device = new VmbusDevice(runtime, this.#bus, this.root, offered.offer, offered.channel);
    try {
      await this.#system.addDevice(device);
      return device;
    } catch (error) {
      runtime.log("error", "vmbus.offer-refused", { channel: offered.channel.name, error });
      device.put();
      return null;
    }
  }

  #onAllOffers(): void {
    const { scheduler } = this.#system.runtime;
    this.#access("read");
    const offers = [...this.#offers.values()];
    scheduler.spawn("delivery of the offers", async () => {
      for (const { settled } of offers) await settled.wait({ deadline: noDeadline });
      // One of them may have been what another waited for.
      await this.#system.waitForProbe();
      this.#delivered.completeAll();
    });
  }

  #onLinkClosed(reason: Error): void {
    const error = new KernelError("ECONNRESET", `the connection to the host ended: ${reason.message}`, {
      cause: reason,
    });
    this.#access("write");
    this.#closeReason = reason;
    const offers = [...this.#offers.values()];
    for (const offered of offers) rescind(offered, `the connection to the host ended: ${reason.message}`);
    this.#contact.fail(error);
    this.#delivered.fail(error);
    this.#unloaded.completeAll();
    for (const listener of this.#closeListeners.splice(0)) listener(reason);
    this.#system.runtime.scheduler.spawn("end of the connection", async () => {
      for (const { left } of offers) await left.wait({ deadline: noDeadline });
      if (this.root.registered) await this.#system.unregisterDevice(this.root, { deadline: noDeadline });
      else this.root.put();
      this.#ended.completeAll();
    });
  }

  #access(mode: "read" | "write"): void {
    this.#system.runtime.scheduler.access(this.#tables, mode);
  }
}

/** How long the host may take to answer a good-bye, in ms. */
const unloadMs = 1000;

/** Requests fail before anything else happens: what removes the device next can't be kept waiting by them. */
function rescind({ channel, rescinded }: Offered, reason: string): void {
  channel.rescind(reason);
  rescinded.completeAll();
}
