// Generated from idl/messages.schema.mjs by idl/messages.mjs; do not edit.
import { type StructCodec, structCodec, zeroGuid, zeroHex16 } from "../codec.js";

/** The body of every reply whose status is negative. */
export interface ErrorDetail {
  /** What failed, where, which limit, what to do. */
  readonly text: string;
  /** The driver's own words, e.g. a JSON EngineRefusal. */
  readonly privateData: Uint8Array;
}
export const ErrorDetail: StructCodec<ErrorDetail> = structCodec<ErrorDetail>({
  name: "ErrorDetail",
  defaults: () => ({ text: "", privateData: new Uint8Array(0) }),
  write(w, v) {
    w.string(v.text ?? "", 4096);
    w.bytes(v.privateData ?? new Uint8Array(0), 65536);
  },
  read: (r) => ({
    text: r.has() ? r.string("text", 4096) : "",
    privateData: r.has() ? r.bytes("privateData", 65536) : new Uint8Array(0),
  }),
});

/** One vGPU as the control node lists it. */
export interface AdapterInfo {
  /** Name of its node's socket in the run directory. */
  readonly node: string;
  /** Opaque, valid until the vGPU goes; never stored. */
  readonly luid: bigint;
  /** The vGPU channel's instance. */
  readonly instance: string;
}
export const AdapterInfo: StructCodec<AdapterInfo> = structCodec<AdapterInfo>({
  name: "AdapterInfo",
  defaults: () => ({ node: "", luid: 0n, instance: zeroGuid }),
  write(w, v) {
    w.string(v.node ?? "", 255);
    w.u64(v.luid ?? 0n);
    w.guid(v.instance ?? zeroGuid);
  },
  read: (r) => ({
    node: r.has() ? r.string("node", 255) : "",
    luid: r.has() ? r.u64("luid") : 0n,
    instance: r.has() ? r.guid("instance") : zeroGuid,
  }),
});

/** One allocation that a process asks for. */
export interface AllocationInfo {
  /** Bytes. */
  readonly size: bigint;
  /** Reserved, 0. */
  readonly flags: number;
  /** Passed to the host as is. */
  readonly privateData: Uint8Array;
}
export const AllocationInfo: StructCodec<AllocationInfo> = structCodec<AllocationInfo>({
  name: "AllocationInfo",
  defaults: () => ({ size: 0n, flags: 0, privateData: new Uint8Array(0) }),
  write(w, v) {
    w.u64(v.size ?? 0n);
    w.u32(v.flags ?? 0);
    w.bytes(v.privateData ?? new Uint8Array(0), 65536);
  },
  read: (r) => ({
    size: r.has() ? r.u64("size") : 0n,
    flags: r.has() ? r.u32("flags") : 0,
    privateData: r.has() ? r.bytes("privateData", 65536) : new Uint8Array(0),
  }),
});

/** The sizes of a queue's two rings in bytes, powers of two. */
export interface QueueRings {
  /** Ring from the application to the engine. */
  readonly toEngine: number;
  /** Ring from the engine to the application. */
  readonly toClient: number;
}
export const QueueRings: StructCodec<QueueRings> = structCodec<QueueRings>({
  name: "QueueRings",
  defaults: () => ({ toEngine: 0, toClient: 0 }),
  write(w, v) {
    w.u32(v.toEngine ?? 0);
    w.u32(v.toClient ?? 0);
  },
  read: (r) => ({
    toEngine: r.has() ? r.u32("toEngine") : 0,
    toClient: r.has() ? r.u32("toClient") : 0,
  }),
});

/** Where the other end finds the memory that both shall map; kind 0: none is offered. */
export interface QueueMemory {
  /** 0 none, 2 a memfd whose descriptor comes with the message (SCM_RIGHTS); 1 was one reached through /proc of the offering process. */
  readonly kind: number;
  /** 0; of kind 1 the offering process. */
  readonly process: number;
  /** 0; of kind 1 the descriptor in that process. */
  readonly descriptor: number;
  /** Size of the memory. */
  readonly bytes: bigint;
  /** Written into the memory; proves that both ends map the same. */
  readonly nonce: string;
  /** Bytes in front of the first ring. */
  readonly header: number;
}
export const QueueMemory: StructCodec<QueueMemory> = structCodec<QueueMemory>({
  name: "QueueMemory",
  defaults: () => ({ kind: 0, process: 0, descriptor: 0, bytes: 0n, nonce: zeroHex16, header: 0 }),
  write(w, v) {
    w.u32(v.kind ?? 0);
    w.u32(v.process ?? 0);
    w.u32(v.descriptor ?? 0);
    w.u64(v.bytes ?? 0n);
    w.hex16(v.nonce ?? zeroHex16);
    w.u32(v.header ?? 0);
  },
  read: (r) => ({
    kind: r.has() ? r.u32("kind") : 0,
    process: r.has() ? r.u32("process") : 0,
    descriptor: r.has() ? r.u32("descriptor") : 0,
    bytes: r.has() ? r.u64("bytes") : 0n,
    nonce: r.has() ? r.hex16("nonce") : zeroHex16,
    header: r.has() ? r.u32("header") : 0,
  }),
});

/** What stands at a path of the device tree. */
export interface SysEntry {
  /** The path's last part. */
  readonly name: string;
  /** 1 directory, 2 file (an attribute), 3 link. */
  readonly kind: number;
  /** Permission bits: who may read or write an attribute. */
  readonly mode: number;
  /** Of a link: where it points, from the directory that it is in. */
  readonly target: string;
}
export const SysEntry: StructCodec<SysEntry> = structCodec<SysEntry>({
  name: "SysEntry",
  defaults: () => ({ name: "", kind: 0, mode: 0, target: "" }),
  write(w, v) {
    w.string(v.name ?? "", 255);
    w.u8(v.kind ?? 0);
    w.u32(v.mode ?? 0);
    w.string(v.target ?? "", 4096);
  },
  read: (r) => ({
    name: r.has() ? r.string("name", 255) : "",
    kind: r.has() ? r.u8("kind") : 0,
    mode: r.has() ? r.u32("mode") : 0,
    target: r.has() ? r.string("target", 4096) : "",
  }),
});
