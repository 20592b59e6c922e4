// Generated from idl/messages.schema.mjs by idl/messages.mjs; do not edit.
import { type StructCodec, structCodec } from "../codec.js";
import { SysEntry } from "./structs.js";

/** First message. */
export interface SysHelloRequest {
  /** Feature bits of the asker. */
  readonly features: bigint;
  /** Its process id, for logs only. */
  readonly process: number;
  /** Its name, for logs only. */
  readonly name: string;
}
export const SysHelloRequest: StructCodec<SysHelloRequest> = structCodec<SysHelloRequest>({
  name: "SysHelloRequest",
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

/** Reply: First message. */
export interface SysHelloReply {
  /** Feature bits of the server. */
  readonly features: bigint;
  /** Whose tree it is. */
  readonly name: string;
}
export const SysHelloReply: StructCodec<SysHelloReply> = structCodec<SysHelloReply>({
  name: "SysHelloReply",
  defaults: () => ({ features: 0n, name: "" }),
  write(w, v) {
    w.u64(v.features ?? 0n);
    w.string(v.name ?? "", 255);
  },
  read: (r) => ({
    features: r.has() ? r.u64("features") : 0n,
    name: r.has() ? r.string("name", 255) : "",
  }),
});

/** What is in a directory, by names, a page at a time. */
export interface SysListRequest {
  /** Absolute, from /sys. */
  readonly path: string;
  /** `last` of the page before; empty: the first page. */
  readonly after: string;
}
export const SysListRequest: StructCodec<SysListRequest> = structCodec<SysListRequest>({
  name: "SysListRequest",
  defaults: () => ({ path: "", after: "" }),
  write(w, v) {
    w.string(v.path ?? "", 4096);
    w.string(v.after ?? "", 255);
  },
  read: (r) => ({
    path: r.has() ? r.string("path", 4096) : "",
    after: r.has() ? r.string("after", 255) : "",
  }),
});

/** Reply: What is in a directory, by names, a page at a time. */
export interface SysListReply {
  /** A page; what went meanwhile is missing. */
  readonly entries: readonly SysEntry[];
  /** The last name of the page. */
  readonly last: string;
  /** 1: there are more. */
  readonly more: number;
}
export const SysListReply: StructCodec<SysListReply> = structCodec<SysListReply>({
  name: "SysListReply",
  defaults: () => ({ entries: [], last: "", more: 0 }),
  write(w, v) {
    w.list(v.entries ?? [], 128, (element) => w.struct(() => SysEntry.write(w, element)));
    w.string(v.last ?? "", 255);
    w.u8(v.more ?? 0);
  },
  read: (r) => ({
    entries: r.has() ? r.list("entries", 128, (r) => r.struct("entries", (r) => SysEntry.read(r))) : [],
    last: r.has() ? r.string("last", 255) : "",
    more: r.has() ? r.u8("more") : 0,
  }),
});

/** What stands at a path; a link at its end is not followed. */
export interface SysStatRequest {
  /** Absolute, from /sys. */
  readonly path: string;
}
export const SysStatRequest: StructCodec<SysStatRequest> = structCodec<SysStatRequest>({
  name: "SysStatRequest",
  defaults: () => ({ path: "" }),
  write(w, v) {
    w.string(v.path ?? "", 4096);
  },
  read: (r) => ({
    path: r.has() ? r.string("path", 4096) : "",
  }),
});

/** Reply: What stands at a path; a link at its end is not followed. */
export interface SysStatReply {
  /** It. */
  readonly entry: SysEntry;
}
export const SysStatReply: StructCodec<SysStatReply> = structCodec<SysStatReply>({
  name: "SysStatReply",
  defaults: () => ({ entry: SysEntry.defaults() }),
  write(w, v) {
    w.struct(() => SysEntry.write(w, v.entry ?? SysEntry.defaults()));
  },
  read: (r) => ({
    entry: r.has() ? r.struct("entry", (r) => SysEntry.read(r)) : SysEntry.defaults(),
  }),
});

/** An attribute's value. */
export interface SysReadRequest {
  /** Absolute, from /sys. */
  readonly path: string;
}
export const SysReadRequest: StructCodec<SysReadRequest> = structCodec<SysReadRequest>({
  name: "SysReadRequest",
  defaults: () => ({ path: "" }),
  write(w, v) {
    w.string(v.path ?? "", 4096);
  },
  read: (r) => ({
    path: r.has() ? r.string("path", 4096) : "",
  }),
});

/** Reply: An attribute's value. */
export interface SysReadReply {
  /** As it is shown. */
  readonly value: string;
}
export const SysReadReply: StructCodec<SysReadReply> = structCodec<SysReadReply>({
  name: "SysReadReply",
  defaults: () => ({ value: "" }),
  write(w, v) {
    w.string(v.value ?? "", 4096);
  },
  read: (r) => ({
    value: r.has() ? r.string("value", 4096) : "",
  }),
});

/** Stores an attribute's value; done when the reply comes. */
export interface SysWriteRequest {
  /** Absolute, from /sys. */
  readonly path: string;
  /** By convention ended by a newline. */
  readonly value: string;
}
export const SysWriteRequest: StructCodec<SysWriteRequest> = structCodec<SysWriteRequest>({
  name: "SysWriteRequest",
  defaults: () => ({ path: "", value: "" }),
  write(w, v) {
    w.string(v.path ?? "", 4096);
    w.string(v.value ?? "", 4096);
  },
  read: (r) => ({
    path: r.has() ? r.string("path", 4096) : "",
    value: r.has() ? r.string("value", 4096) : "",
  }),
});

/** Reply: Stores an attribute's value; done when the reply comes. */
export interface SysWriteReply {
}
export const SysWriteReply: StructCodec<SysWriteReply> = structCodec<SysWriteReply>({
  name: "SysWriteReply",
  defaults: () => ({  }),
  write() {},
  read: () => ({}),
});

/** From here on uevents come, until the connection ends. Once on a connection. */
export interface SysMonitorRequest {
  /** Only of this one; empty: all. */
  readonly subsystem: string;
}
export const SysMonitorRequest: StructCodec<SysMonitorRequest> = structCodec<SysMonitorRequest>({
  name: "SysMonitorRequest",
  defaults: () => ({ subsystem: "" }),
  write(w, v) {
    w.string(v.subsystem ?? "", 255);
  },
  read: (r) => ({
    subsystem: r.has() ? r.string("subsystem", 255) : "",
  }),
});

/** Reply: From here on uevents come, until the connection ends. Once on a connection. */
export interface SysMonitorReply {
}
export const SysMonitorReply: StructCodec<SysMonitorReply> = structCodec<SysMonitorReply>({
  name: "SysMonitorReply",
  defaults: () => ({  }),
  write() {},
  read: () => ({}),
});

/** Something happened to an object of the tree. */
export interface SysUevent {
  /** KEY=value, in the kernel's order: ACTION, DEVPATH, SUBSYSTEM, …, SEQNUM. */
  readonly keys: readonly string[];
}
export const SysUevent: StructCodec<SysUevent> = structCodec<SysUevent>({
  name: "SysUevent",
  defaults: () => ({ keys: [] }),
  write(w, v) {
    w.list(v.keys ?? [], 64, (element) => w.string(element, 4096));
  },
  read: (r) => ({
    keys: r.has() ? r.list("keys", 64, (r) => r.string("keys", 4096)) : [],
  }),
});

/** The reader was too slow: so many uevents are missing here. */
export interface SysLost {
  /** At least 1. */
  readonly count: number;
}
export const SysLost: StructCodec<SysLost> = structCodec<SysLost>({
  name: "SysLost",
  defaults: () => ({ count: 0 }),
  write(w, v) {
    w.u32(v.count ?? 0);
  },
  read: (r) => ({
    count: r.has() ? r.u32("count") : 0,
  }),
});

/** Numbers. The device tree of a host or a guest, on its socket `sys`. Whoever may open the socket may write. */
export const SysMessage = {
  HELLO: 768,
  LIST: 769,
  STAT: 770,
  READ: 771,
  WRITE: 772,
  MONITOR: 773,
  UEVENT: 774,
  LOST: 775,
} as const;

/** The device tree of a host or a guest, on its socket `sys`. Whoever may open the socket may write. */
export const sysMessage = {
  /** First message. */
  hello: { type: 768, name: "hello", request: SysHelloRequest, reply: SysHelloReply },
  /** What is in a directory, by names, a page at a time. */
  list: { type: 769, name: "list", request: SysListRequest, reply: SysListReply },
  /** What stands at a path; a link at its end is not followed. */
  stat: { type: 770, name: "stat", request: SysStatRequest, reply: SysStatReply },
  /** An attribute's value. */
  read: { type: 771, name: "read", request: SysReadRequest, reply: SysReadReply },
  /** Stores an attribute's value; done when the reply comes. */
  write: { type: 772, name: "write", request: SysWriteRequest, reply: SysWriteReply },
  /** From here on uevents come, until the connection ends. Once on a connection. */
  monitor: { type: 773, name: "monitor", request: SysMonitorRequest, reply: SysMonitorReply },
  /** Something happened to an object of the tree. */
  uevent: { type: 774, name: "uevent", body: SysUevent },
  /** The reader was too slow: so many uevents are missing here. */
  lost: { type: 775, name: "lost", body: SysLost },
} as const;
