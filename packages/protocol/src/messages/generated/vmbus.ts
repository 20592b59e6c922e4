// Generated from idl/messages.schema.mjs by idl/messages.mjs; do not edit.
import { type StructCodec, structCodec, zeroGuid } from "../codec.js";

/** Host: a channel can be opened. */
export interface VmbusOfferChannel {
  /** Number of the channel on this connection, not 0; reused only after relidReleased. */
  readonly relid: number;
  /** What the channel speaks. */
  readonly interfaceType: string;
  /** Which one; survives a re-offer. */
  readonly interfaceInstance: string;
  /** Bit 0: enumerate the interface. */
  readonly flags: number;
  /** I/O space, 0: none. */
  readonly mmioMegabytes: number;
  /** 0: the primary channel. */
  readonly subChannelIndex: number;
  /** Reserved, 0. */
  readonly connectionId: number;
  /** Of the interface. */
  readonly userData: Uint8Array;
  /** The slice that is meant; of the global channel, the channel's own instance. */
  readonly slice: string;
  /** The slice's generation that is meant; of the global channel 0. */
  readonly generation: bigint;
}
export const VmbusOfferChannel: StructCodec<VmbusOfferChannel> = structCodec<VmbusOfferChannel>({
  name: "VmbusOfferChannel",
  defaults: () => ({ relid: 0, interfaceType: zeroGuid, interfaceInstance: zeroGuid, flags: 0, mmioMegabytes: 0, subChannelIndex: 0, connectionId: 0, userData: new Uint8Array(0), slice: zeroGuid, generation: 0n }),
  write(w, v) {
    w.u32(v.relid ?? 0);
    w.guid(v.interfaceType ?? zeroGuid);
    w.guid(v.interfaceInstance ?? zeroGuid);
    w.u16(v.flags ?? 0);
    w.u16(v.mmioMegabytes ?? 0);
    w.u16(v.subChannelIndex ?? 0);
    w.u32(v.connectionId ?? 0);
    w.bytes(v.userData ?? new Uint8Array(0), 120);
    w.guid(v.slice ?? zeroGuid);
    w.u64(v.generation ?? 0n);
  },
  read: (r) => ({
    relid: r.has() ? r.u32("relid") : 0,
    interfaceType: r.has() ? r.guid("interfaceType") : zeroGuid,
    interfaceInstance: r.has() ? r.guid("interfaceInstance") : zeroGuid,
    flags: r.has() ? r.u16("flags") : 0,
    mmioMegabytes: r.has() ? r.u16("mmioMegabytes") : 0,
    subChannelIndex: r.has() ? r.u16("subChannelIndex") : 0,
    connectionId: r.has() ? r.u32("connectionId") : 0,
    userData: r.has() ? r.bytes("userData", 120) : new Uint8Array(0),
    slice: r.has() ? r.guid("slice") : zeroGuid,
    generation: r.has() ? r.u64("generation") : 0n,
  }),
});

/** Host: the channel is gone. */
export interface VmbusRescind {
  /** Number of the channel. */
  readonly relid: number;
  /** For people. */
  readonly reason: string;
  /** The slice that is meant; of the global channel, the channel's own instance. */
  readonly slice: string;
  /** The slice's generation that is meant; of the global channel 0. */
  readonly generation: bigint;
}
export const VmbusRescind: StructCodec<VmbusRescind> = structCodec<VmbusRescind>({
  name: "VmbusRescind",
  defaults: () => ({ relid: 0, reason: "", slice: zeroGuid, generation: 0n }),
  write(w, v) {
    w.u32(v.relid ?? 0);
    w.string(v.reason ?? "", 4096);
    w.guid(v.slice ?? zeroGuid);
    w.u64(v.generation ?? 0n);
  },
  read: (r) => ({
    relid: r.has() ? r.u32("relid") : 0,
    reason: r.has() ? r.string("reason", 4096) : "",
    slice: r.has() ? r.guid("slice") : zeroGuid,
    generation: r.has() ? r.u64("generation") : 0n,
  }),
});

/** Guest: send me the offers. */
export interface VmbusRequestOffers {
  /** From versionResponse. */
  readonly connection: string;
}
export const VmbusRequestOffers: StructCodec<VmbusRequestOffers> = structCodec<VmbusRequestOffers>({
  name: "VmbusRequestOffers",
  defaults: () => ({ connection: zeroGuid }),
  write(w, v) {
    w.guid(v.connection ?? zeroGuid);
  },
  read: (r) => ({
    connection: r.has() ? r.guid("connection") : zeroGuid,
  }),
});

/** Host: the offers that there are have been sent; more may come. */
export interface VmbusAllOffersDelivered {
}
export const VmbusAllOffersDelivered: StructCodec<VmbusAllOffersDelivered> = structCodec<VmbusAllOffersDelivered>({
  name: "VmbusAllOffersDelivered",
  defaults: () => ({  }),
  write() {},
  read: () => ({}),
});

/** Guest: I use this channel now. */
export interface VmbusOpenChannel {
  /** Number of the channel. */
  readonly relid: number;
  /** Echoed in the result. */
  readonly openId: number;
  /** Of the interface. */
  readonly userData: Uint8Array;
  /** The slice that is meant; of the global channel, the channel's own instance. */
  readonly slice: string;
  /** The slice's generation that is meant; of the global channel 0. */
  readonly generation: bigint;
}
export const VmbusOpenChannel: StructCodec<VmbusOpenChannel> = structCodec<VmbusOpenChannel>({
  name: "VmbusOpenChannel",
  defaults: () => ({ relid: 0, openId: 0, userData: new Uint8Array(0), slice: zeroGuid, generation: 0n }),
  write(w, v) {
    w.u32(v.relid ?? 0);
    w.u32(v.openId ?? 0);
    w.bytes(v.userData ?? new Uint8Array(0), 120);
    w.guid(v.slice ?? zeroGuid);
    w.u64(v.generation ?? 0n);
  },
  read: (r) => ({
    relid: r.has() ? r.u32("relid") : 0,
    openId: r.has() ? r.u32("openId") : 0,
    userData: r.has() ? r.bytes("userData", 120) : new Uint8Array(0),
    slice: r.has() ? r.guid("slice") : zeroGuid,
    generation: r.has() ? r.u64("generation") : 0n,
  }),
});

/** Host: whether it was opened. */
export interface VmbusOpenChannelResult {
  /** Number of the channel. */
  readonly relid: number;
  /** From openChannel. */
  readonly openId: number;
  /** NTSTATUS. */
  readonly status: number;
  /** The slice that is meant; of the global channel, the channel's own instance. */
  readonly slice: string;
  /** The slice's generation that is meant; of the global channel 0. */
  readonly generation: bigint;
}
export const VmbusOpenChannelResult: StructCodec<VmbusOpenChannelResult> = structCodec<VmbusOpenChannelResult>({
  name: "VmbusOpenChannelResult",
  defaults: () => ({ relid: 0, openId: 0, status: 0, slice: zeroGuid, generation: 0n }),
  write(w, v) {
    w.u32(v.relid ?? 0);
    w.u32(v.openId ?? 0);
    w.u32(v.status ?? 0);
    w.guid(v.slice ?? zeroGuid);
    w.u64(v.generation ?? 0n);
  },
  read: (r) => ({
    relid: r.has() ? r.u32("relid") : 0,
    openId: r.has() ? r.u32("openId") : 0,
    status: r.has() ? r.u32("status") : 0,
    slice: r.has() ? r.guid("slice") : zeroGuid,
    generation: r.has() ? r.u64("generation") : 0n,
  }),
});

/** Guest: I no longer use this channel. */
export interface VmbusCloseChannel {
  /** Number of the channel. */
  readonly relid: number;
  /** The slice that is meant; of the global channel, the channel's own instance. */
  readonly slice: string;
  /** The slice's generation that is meant; of the global channel 0. */
  readonly generation: bigint;
}
export const VmbusCloseChannel: StructCodec<VmbusCloseChannel> = structCodec<VmbusCloseChannel>({
  name: "VmbusCloseChannel",
  defaults: () => ({ relid: 0, slice: zeroGuid, generation: 0n }),
  write(w, v) {
    w.u32(v.relid ?? 0);
    w.guid(v.slice ?? zeroGuid);
    w.u64(v.generation ?? 0n);
  },
  read: (r) => ({
    relid: r.has() ? r.u32("relid") : 0,
    slice: r.has() ? r.guid("slice") : zeroGuid,
    generation: r.has() ? r.u64("generation") : 0n,
  }),
});

/** Guest: nothing refers to this number any more. */
export interface VmbusRelidReleased {
  /** Number of the channel. */
  readonly relid: number;
  /** The slice that is meant; of the global channel, the channel's own instance. */
  readonly slice: string;
  /** The slice's generation that is meant; of the global channel 0. */
  readonly generation: bigint;
}
export const VmbusRelidReleased: StructCodec<VmbusRelidReleased> = structCodec<VmbusRelidReleased>({
  name: "VmbusRelidReleased",
  defaults: () => ({ relid: 0, slice: zeroGuid, generation: 0n }),
  write(w, v) {
    w.u32(v.relid ?? 0);
    w.guid(v.slice ?? zeroGuid);
    w.u64(v.generation ?? 0n);
  },
  read: (r) => ({
    relid: r.has() ? r.u32("relid") : 0,
    slice: r.has() ? r.guid("slice") : zeroGuid,
    generation: r.has() ? r.u64("generation") : 0n,
  }),
});

/** Guest: who I am and what I can do. */
export interface VmbusInitiateContact {
  /** Feature bits of the guest. */
  readonly features: bigint;
  /** Secret given to the guest at its creation. */
  readonly credential: string;
  /** For logs. */
  readonly name: string;
}
export const VmbusInitiateContact: StructCodec<VmbusInitiateContact> = structCodec<VmbusInitiateContact>({
  name: "VmbusInitiateContact",
  defaults: () => ({ features: 0n, credential: "", name: "" }),
  write(w, v) {
    w.u64(v.features ?? 0n);
    w.string(v.credential ?? "", 255);
    w.string(v.name ?? "", 255);
  },
  read: (r) => ({
    features: r.has() ? r.u64("features") : 0n,
    credential: r.has() ? r.string("credential", 255) : "",
    name: r.has() ? r.string("name", 255) : "",
  }),
});

/** Host: whether it talks to this guest. */
export interface VmbusVersionResponse {
  /** 1: yes. */
  readonly supported: number;
  /** Feature bits of the host. */
  readonly features: bigint;
  /** Why not. */
  readonly text: string;
  /** Why not, for programs: guest-unknown, guest-connected, host-stopping, … */
  readonly code: string;
  /** Names this connection, and no other. */
  readonly connection: string;
}
export const VmbusVersionResponse: StructCodec<VmbusVersionResponse> = structCodec<VmbusVersionResponse>({
  name: "VmbusVersionResponse",
  defaults: () => ({ supported: 0, features: 0n, text: "", code: "", connection: zeroGuid }),
  write(w, v) {
    w.u8(v.supported ?? 0);
    w.u64(v.features ?? 0n);
    w.string(v.text ?? "", 4096);
    w.string(v.code ?? "", 255);
    w.guid(v.connection ?? zeroGuid);
  },
  read: (r) => ({
    supported: r.has() ? r.u8("supported") : 0,
    features: r.has() ? r.u64("features") : 0n,
    text: r.has() ? r.string("text", 4096) : "",
    code: r.has() ? r.string("code", 255) : "",
    connection: r.has() ? r.guid("connection") : zeroGuid,
  }),
});

/** Guest: I am about to go. */
export interface VmbusUnload {
  /** From versionResponse. */
  readonly connection: string;
}
export const VmbusUnload: StructCodec<VmbusUnload> = structCodec<VmbusUnload>({
  name: "VmbusUnload",
  defaults: () => ({ connection: zeroGuid }),
  write(w, v) {
    w.guid(v.connection ?? zeroGuid);
  },
  read: (r) => ({
    connection: r.has() ? r.guid("connection") : zeroGuid,
  }),
});

/** Host: nothing more will be sent. */
export interface VmbusUnloadResponse {
}
export const VmbusUnloadResponse: StructCodec<VmbusUnloadResponse> = structCodec<VmbusUnloadResponse>({
  name: "VmbusUnloadResponse",
  defaults: () => ({  }),
  write() {},
  read: () => ({}),
});

/** Either: are you there? The other end echoes it, with `answer` set. */
export interface VmbusHeartbeat {
  /** Echoed. */
  readonly number: bigint;
  /** 1: this is the echo. */
  readonly answer: number;
}
export const VmbusHeartbeat: StructCodec<VmbusHeartbeat> = structCodec<VmbusHeartbeat>({
  name: "VmbusHeartbeat",
  defaults: () => ({ number: 0n, answer: 0 }),
  write(w, v) {
    w.u64(v.number ?? 0n);
    w.u8(v.answer ?? 0);
  },
  read: (r) => ({
    number: r.has() ? r.u64("number") : 0n,
    answer: r.has() ? r.u8("answer") : 0,
  }),
});

/** Numbers. VMBus's own messages (relid 0), by their CHANNELMSG numbers. */
export const VmbusMessage = {
  OFFERCHANNEL: 1,
  RESCIND: 2,
  REQUESTOFFERS: 3,
  ALLOFFERSDELIVERED: 4,
  OPENCHANNEL: 5,
  OPENCHANNELRESULT: 6,
  CLOSECHANNEL: 7,
  RELIDRELEASED: 13,
  INITIATECONTACT: 14,
  VERSIONRESPONSE: 15,
  UNLOAD: 16,
  UNLOADRESPONSE: 17,
  HEARTBEAT: 256,
} as const;

/** VMBus's own messages (relid 0), by their CHANNELMSG numbers. */
export const vmbusMessage = {
  /** Host: a channel can be opened. */
  offerChannel: { type: 1, name: "offerChannel", body: VmbusOfferChannel },
  /** Host: the channel is gone. */
  rescind: { type: 2, name: "rescind", body: VmbusRescind },
  /** Guest: send me the offers. */
  requestOffers: { type: 3, name: "requestOffers", body: VmbusRequestOffers },
  /** Host: the offers that there are have been sent; more may come. */
  allOffersDelivered: { type: 4, name: "allOffersDelivered", body: VmbusAllOffersDelivered },
  /** Guest: I use this channel now. */
  openChannel: { type: 5, name: "openChannel", body: VmbusOpenChannel },
  /** Host: whether it was opened. */
  openChannelResult: { type: 6, name: "openChannelResult", body: VmbusOpenChannelResult },
  /** Guest: I no longer use this channel. */
  closeChannel: { type: 7, name: "closeChannel", body: VmbusCloseChannel },
  /** Guest: nothing refers to this number any more. */
  relidReleased: { type: 13, name: "relidReleased", body: VmbusRelidReleased },
  /** Guest: who I am and what I can do. */
  initiateContact: { type: 14, name: "initiateContact", body: VmbusInitiateContact },
  /** Host: whether it talks to this guest. */
  versionResponse: { type: 15, name: "versionResponse", body: VmbusVersionResponse },
  /** Guest: I am about to go. */
  unload: { type: 16, name: "unload", body: VmbusUnload },
  /** Host: nothing more will be sent. */
  unloadResponse: { type: 17, name: "unloadResponse", body: VmbusUnloadResponse },
  /** Either: are you there? The other end echoes it, with `answer` set. */
  heartbeat: { type: 256, name: "heartbeat", body: VmbusHeartbeat },
} as const;
