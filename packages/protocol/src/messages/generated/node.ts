// Generated from idl/messages.schema.mjs by idl/messages.mjs; do not edit.
import { type StructCodec, structCodec } from "../codec.js";

/** First message on every node. */
export interface NodeHelloRequest {
  /** Feature bits of the application. */
  readonly features: bigint;
  /** Its process id, for logs only. */
  readonly process: number;
  /** Its name, for logs only. */
  readonly name: string;
}
export const NodeHelloRequest: StructCodec<NodeHelloRequest> = structCodec<NodeHelloRequest>({
  name: "NodeHelloRequest",
  defaults: () => ({ features: 0n, process: 0, name: "" }),
  write(w, v) {
    w.u64(v.features ?? 0n);
    w.u32(v.process ?? 0);
    w.string(v.name ?? "", 255);
  },
  read: (r) => ({
    features: r.has() ? r.u64("features") : 0n,
    process: r.has() ? r.u32("process") : 0,
    name: r.has() ? r.string("name", 255) : "",
  }),
});

/** Reply: First message on every node. */
export interface NodeHelloReply {
  /** Feature bits of the node. */
  readonly features: bigint;
  /** The node's name. */
  readonly node: string;
}
export const NodeHelloReply: StructCodec<NodeHelloReply> = structCodec<NodeHelloReply>({
  name: "NodeHelloReply",
  defaults: () => ({ features: 0n, node: "" }),
  write(w, v) {
    w.u64(v.features ?? 0n);
    w.string(v.node ?? "", 255);
  },
  read: (r) => ({
    features: r.has() ? r.u64("features") : 0n,
    node: r.has() ? r.string("node", 255) : "",
  }),
});

/** From the node to the application. */
export interface NodeEvent {
  /** 1 the node is gone, 2 a device is lost. */
  readonly kind: number;
  /** The lost device's handle. */
  readonly object: number;
  /** Stable word: GPUDeviceLostInfo's reason, or why the node went. */
  readonly reason: string;
  /** For people. */
  readonly text: string;
}
export const NodeEvent: StructCodec<NodeEvent> = structCodec<NodeEvent>({
  name: "NodeEvent",
  defaults: () => ({ kind: 0, object: 0, reason: "", text: "" }),
  write(w, v) {
    w.u32(v.kind ?? 0);
    w.u32(v.object ?? 0);
    w.string(v.reason ?? "", 255);
    w.string(v.text ?? "", 4096);
  },
  read: (r) => ({
    kind: r.has() ? r.u32("kind") : 0,
    object: r.has() ? r.u32("object") : 0,
    reason: r.has() ? r.string("reason", 255) : "",
    text: r.has() ? r.string("text", 4096) : "",
  }),
});

/** From the control node to the application: a vGPU appeared or went; enumAdapters3 says what there is. */
export interface NodeAdaptersChanged {
}
export const NodeAdaptersChanged: StructCodec<NodeAdaptersChanged> = structCodec<NodeAdaptersChanged>({
  name: "NodeAdaptersChanged",
  defaults: () => ({  }),
  write() {},
  read: () => ({}),
});

/** From a vGPU's node to the application. */
export interface NodeMemoryChanged {
  /** Bytes that the slice may have in use. */
  readonly limit: bigint;
  /** Bytes that it has in use. */
  readonly used: bigint;
  /** Bytes that are its own, whatever others do. */
  readonly reserved: bigint;
}
export const NodeMemoryChanged: StructCodec<NodeMemoryChanged> = structCodec<NodeMemoryChanged>({
  name: "NodeMemoryChanged",
  defaults: () => ({ limit: 0n, used: 0n, reserved: 0n }),
  write(w, v) {
    w.u64(v.limit ?? 0n);
    w.u64(v.used ?? 0n);
    w.u64(v.reserved ?? 0n);
  },
  read: (r) => ({
    limit: r.has() ? r.u64("limit") : 0n,
    used: r.has() ? r.u64("used") : 0n,
    reserved: r.has() ? r.u64("reserved") : 0n,
  }),
});

/** Numbers. What every node socket speaks beside the driver's requests. */
export const NodeMessage = {
  HELLO: 256,
  EVENT: 257,
  ADAPTERSCHANGED: 258,
  MEMORYCHANGED: 259,
} as const;

/** What every node socket speaks beside the driver's requests. */
export const nodeMessage = {
  /** First message on every node. */
  hello: { type: 256, name: "hello", request: NodeHelloRequest, reply: NodeHelloReply },
  /** From the node to the application. */
  event: { type: 257, name: "event", body: NodeEvent },
  /** From the control node to the application: a vGPU appeared or went; enumAdapters3 says what there is. */
  adaptersChanged: { type: 258, name: "adaptersChanged", body: NodeAdaptersChanged },
  /** From a vGPU's node to the application. */
  memoryChanged: { type: 259, name: "memoryChanged", body: NodeMemoryChanged },
} as const;
