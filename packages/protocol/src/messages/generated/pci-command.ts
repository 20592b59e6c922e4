// Generated from idl/messages.schema.mjs by idl/messages.mjs; do not edit.
import { type StructCodec, structCodec } from "../codec.js";

/** Which function the channel stands for. */
export interface PciQueryFunctionRequest {
}
export const PciQueryFunctionRequest: StructCodec<PciQueryFunctionRequest> = structCodec<PciQueryFunctionRequest>({
  name: "PciQueryFunctionRequest",
  defaults: () => ({  }),
  write() {},
  read: () => ({}),
});

/** Reply: Which function the channel stands for. */
export interface PciQueryFunctionReply {
  /** Device number << 3 | function number. */
  readonly slot: number;
  /** Size of the configuration space: 256 or 4096. */
  readonly configBytes: number;
}
export const PciQueryFunctionReply: StructCodec<PciQueryFunctionReply> = structCodec<PciQueryFunctionReply>({
  name: "PciQueryFunctionReply",
  defaults: () => ({ slot: 0, configBytes: 0 }),
  write(w, v) {
    w.u32(v.slot ?? 0);
    w.u32(v.configBytes ?? 0);
  },
  read: (r) => ({
    slot: r.has() ? r.u32("slot") : 0,
    configBytes: r.has() ? r.u32("configBytes") : 0,
  }),
});

/** Reads a register. */
export interface PciConfigReadRequest {
  /** Bytes from the start. */
  readonly offset: number;
  /** Bytes, 1 to 64. */
  readonly length: number;
}
export const PciConfigReadRequest: StructCodec<PciConfigReadRequest> = structCodec<PciConfigReadRequest>({
  name: "PciConfigReadRequest",
  defaults: () => ({ offset: 0, length: 0 }),
  write(w, v) {
    w.u32(v.offset ?? 0);
    w.u32(v.length ?? 0);
  },
  read: (r) => ({
    offset: r.has() ? r.u32("offset") : 0,
    length: r.has() ? r.u32("length") : 0,
  }),
});

/** Reply: Reads a register. */
export interface PciConfigReadReply {
  /** Exactly `length` bytes. */
  readonly data: Uint8Array;
}
export const PciConfigReadReply: StructCodec<PciConfigReadReply> = structCodec<PciConfigReadReply>({
  name: "PciConfigReadReply",
  defaults: () => ({ data: new Uint8Array(0) }),
  write(w, v) {
    w.bytes(v.data ?? new Uint8Array(0), 64);
  },
  read: (r) => ({
    data: r.has() ? r.bytes("data", 64) : new Uint8Array(0),
  }),
});

/** Writes a register; it may do something. */
export interface PciConfigWriteRequest {
  /** Bytes from the start. */
  readonly offset: number;
  /** 1 to 64 bytes. */
  readonly data: Uint8Array;
}
export const PciConfigWriteRequest: StructCodec<PciConfigWriteRequest> = structCodec<PciConfigWriteRequest>({
  name: "PciConfigWriteRequest",
  defaults: () => ({ offset: 0, data: new Uint8Array(0) }),
  write(w, v) {
    w.u32(v.offset ?? 0);
    w.bytes(v.data ?? new Uint8Array(0), 64);
  },
  read: (r) => ({
    offset: r.has() ? r.u32("offset") : 0,
    data: r.has() ? r.bytes("data", 64) : new Uint8Array(0),
  }),
});

/** Reply: Writes a register; it may do something. */
export interface PciConfigWriteReply {
}
export const PciConfigWriteReply: StructCodec<PciConfigWriteReply> = structCodec<PciConfigWriteReply>({
  name: "PciConfigWriteReply",
  defaults: () => ({  }),
  write() {},
  read: () => ({}),
});

/** Numbers. Requests on a PCI pass-through channel, guest to host: one function, its configuration space. */
export const PciCommand = {
  QUERYFUNCTION: 1,
  CONFIGREAD: 2,
  CONFIGWRITE: 3,
} as const;

/** Requests on a PCI pass-through channel, guest to host: one function, its configuration space. */
export const pciCommand = {
  /** Which function the channel stands for. */
  queryFunction: { type: 1, name: "queryFunction", request: PciQueryFunctionRequest, reply: PciQueryFunctionReply },
  /** Reads a register. */
  configRead: { type: 2, name: "configRead", request: PciConfigReadRequest, reply: PciConfigReadReply },
  /** Writes a register; it may do something. */
  configWrite: { type: 3, name: "configWrite", request: PciConfigWriteRequest, reply: PciConfigWriteReply },
} as const;
