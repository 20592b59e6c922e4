// Generated from idl/messages.schema.mjs by idl/messages.mjs; do not edit.
import { type StructCodec, structCodec, zeroGuid, zeroHex16 } from "../codec.js";
import { QueueMemory, QueueRings } from "./structs.js";

/** From the application, as first message on a queue's socket. */
export interface QueueHelloRequest {
  /** From createHwQueue. */
  readonly token: string;
  /** Feature bits of the client's carrier. */
  readonly features: bigint;
  /** Memory that the client offers for sharing. */
  readonly memory: QueueMemory;
  /** The ring sizes that the client would like; 0: the default. */
  readonly geometry: QueueRings;
  /** The slice that is meant; of the global channel, the channel's own instance. */
  readonly slice: string;
  /** The slice's generation that is meant; of the global channel 0. */
  readonly generation: bigint;
}
export const QueueHelloRequest: StructCodec<QueueHelloRequest> = structCodec<QueueHelloRequest>({
  name: "QueueHelloRequest",
  defaults: () => ({ token: zeroHex16, features: 0n, memory: QueueMemory.defaults(), geometry: QueueRings.defaults(), slice: zeroGuid, generation: 0n }),
  write(w, v) {
    w.hex16(v.token ?? zeroHex16);
    w.u64(v.features ?? 0n);
    w.struct(() => QueueMemory.write(w, v.memory ?? QueueMemory.defaults()));
    w.struct(() => QueueRings.write(w, v.geometry ?? QueueRings.defaults()));
    w.guid(v.slice ?? zeroGuid);
    w.u64(v.generation ?? 0n);
  },
  read: (r) => ({
    token: r.has() ? r.hex16("token") : zeroHex16,
    features: r.has() ? r.u64("features") : 0n,
    memory: r.has() ? r.struct("memory", (r) => QueueMemory.read(r)) : QueueMemory.defaults(),
    geometry: r.has() ? r.struct("geometry", (r) => QueueRings.read(r)) : QueueRings.defaults(),
    slice: r.has() ? r.guid("slice") : zeroGuid,
    generation: r.has() ? r.u64("generation") : 0n,
  }),
});

/** Reply: From the application, as first message on a queue's socket. */
export interface QueueHelloReply {
  /** The feature bits that both have and use from here on. */
  readonly features: bigint;
  /** Memory in use; kind 0: the queue goes on as a stream. */
  readonly memory: QueueMemory;
  /** The ring sizes in force. */
  readonly geometry: QueueRings;
}
export const QueueHelloReply: StructCodec<QueueHelloReply> = structCodec<QueueHelloReply>({
  name: "QueueHelloReply",
  defaults: () => ({ features: 0n, memory: QueueMemory.defaults(), geometry: QueueRings.defaults() }),
  write(w, v) {
    w.u64(v.features ?? 0n);
    w.struct(() => QueueMemory.write(w, v.memory ?? QueueMemory.defaults()));
    w.struct(() => QueueRings.write(w, v.geometry ?? QueueRings.defaults()));
  },
  read: (r) => ({
    features: r.has() ? r.u64("features") : 0n,
    memory: r.has() ? r.struct("memory", (r) => QueueMemory.read(r)) : QueueMemory.defaults(),
    geometry: r.has() ? r.struct("geometry", (r) => QueueRings.read(r)) : QueueRings.defaults(),
  }),
});

/** First message on a guest kernel's connection that carries one queue to a remote host; the queue's bytes follow. */
export interface QueueConnect {
  /** From createHwQueue. */
  readonly token: string;
  /** The guest's. */
  readonly credential: string;
  /** The slice that is meant; of the global channel, the channel's own instance. */
  readonly slice: string;
  /** The slice's generation that is meant; of the global channel 0. */
  readonly generation: bigint;
}
export const QueueConnect: StructCodec<QueueConnect> = structCodec<QueueConnect>({
  name: "QueueConnect",
  defaults: () => ({ token: zeroHex16, credential: "", slice: zeroGuid, generation: 0n }),
  write(w, v) {
    w.hex16(v.token ?? zeroHex16);
    w.string(v.credential ?? "", 255);
    w.guid(v.slice ?? zeroGuid);
    w.u64(v.generation ?? 0n);
  },
  read: (r) => ({
    token: r.has() ? r.hex16("token") : zeroHex16,
    credential: r.has() ? r.string("credential", 255) : "",
    slice: r.has() ? r.guid("slice") : zeroGuid,
    generation: r.has() ? r.u64("generation") : 0n,
  }),
});

/** Numbers. How a queue's socket begins; what follows is the carrier's own. */
export const QueueMessage = {
  HELLO: 512,
  CONNECT: 513,
} as const;

/** How a queue's socket begins; what follows is the carrier's own. */
export const queueMessage = {
  /** From the application, as first message on a queue's socket. */
  hello: { type: 512, name: "hello", request: QueueHelloRequest, reply: QueueHelloReply },
  /** First message on a guest kernel's connection that carries one queue to a remote host; the queue's bytes follow. */
  connect: { type: 513, name: "connect", body: QueueConnect },
} as const;
