/**
 * Packets of a channel and the commands in them. A packet: a 16-byte descriptor `{type u16, offset8 u16, len8 u16,
 * flags u16, trans_id u64}`, the payload, zeros up to a multiple of 8. A command in the payload: a 24-byte header
 * `{command_id u64, process u32, channel_type u32, command_type u32, body bytes u32}` and the body; a completion's payload:
 * `{NTSTATUS u32, body bytes u32}` and the body. The byte counts keep the padding from being read as fields.
 *
 * Where both ends have agreed on it, the descriptor is longer by 24 bytes, and `offset8` says so: `{slice guid, generation u64}`.
 */
import { bytesToGuid, guidToBytes, ProtocolError } from "parhelion-protocol";
import type { ChannelIdentity } from "./identity.js";

export const PacketType = { INBAND: 6, COMPLETION: 0xb } as const;
const completionRequested = 1;
const descriptorBytes = 16;
const identityBytes = 24;
const commandHeaderBytes = 24;
const completionHeaderBytes = 8;

/** The largest packet, descriptor included; dxgkrnl's max_pkt_size. */
export const MAX_PACKET = 128 * 1024;

/** Who speaks to whom, as dxg's commands say it. */
export const ChannelType = { VGPU_TO_HOST: 0, VM_TO_HOST: 1, HOST_TO_VM: 2 } as const;

export interface Command {
  /** The host's handle of the process that asks, 0: none. */
  readonly process: number;
  readonly channelType: number;
  readonly type: number;
  readonly body: Uint8Array;
}

export type Packet = PacketContent & {
  /** Null when it names none. */
  readonly identity: ChannelIdentity | null;
};

type PacketContent =
  | { readonly kind: "request"; readonly transaction: bigint; readonly command: Command }
  | { readonly kind: "message"; readonly command: Command }
  | {
      readonly kind: "completion";
      readonly transaction: bigint;
      readonly status: number;
      readonly body: Uint8Array;
    };

/**
 * @param transaction 0n: no completion is wanted
 * @param identity named in it; null: the other end would not understand
 * @throws ProtocolError too-long
 */
export function encodeCommand(
  command: Command,
  transaction: bigint,
  identity: ChannelIdentity | null = null,
): Uint8Array {
  const payloadBytes = commandHeaderBytes + command.body.length;
  const { packet, at } = frame(PacketType.INBAND, transaction, payloadBytes, identity);
  const view = new DataView(packet.buffer);
  view.setUint32(at + 8, command.process, true);
  view.setUint32(at + 12, command.channelType, true);
  view.setUint32(at + 16, command.type, true);
  view.setUint32(at + 20, command.body.length, true);
  packet.set(command.body, at + commandHeaderBytes);
  return packet;
}

/** @param identity as of encodeCommand. @throws ProtocolError too-long */
export function encodeCompletion(
  transaction: bigint,
  status: number,
  body: Uint8Array,
  identity: ChannelIdentity | null = null,
): Uint8Array {
  const { packet, at } = frame(
    PacketType.COMPLETION,
    transaction,
    completionHeaderBytes + body.length,
    identity,
  );
  const view = new DataView(packet.buffer);
  view.setUint32(at, status, true);
  view.setUint32(at + 4, body.length, true);
  packet.set(body, at + completionHeaderBytes);
  return packet;
}

/** @throws ProtocolError truncated, bad-header, bad-length, unknown-packet */
export function decodePacket(packet: Uint8Array): Packet {
  if (packet.length < descriptorBytes)
    throw new ProtocolError("truncated", `a packet of ${packet.length} bytes has no descriptor`);
  const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
  const offset = 8 * view.getUint16(2, true);
  const length = 8 * view.getUint16(4, true);
  const named = offset >= descriptorBytes + identityBytes && offset <= packet.length;
  if ((offset !== descriptorBytes && !named) || length !== packet.length) {
    throw new ProtocolError(
      "bad-header",
      `payload at ${offset}, ${length} bytes in all; the packet has ${packet.length}`,
    );
  }
  const type = view.getUint16(0, true);
  const transaction = view.getBigUint64(8, true);
  const identity = named ? readIdentity(packet, view) : null;
  const payload = packet.subarray(offset);
  if (type === PacketType.COMPLETION)
    return { kind: "completion", identity, transaction, ...decodeCompletion(payload) };
  if (type !== PacketType.INBAND)
    throw new ProtocolError("unknown-packet", `packets of type ${type} are not used`);
  const command = decodeCommand(payload);
  const wantsCompletion = (view.getUint16(6, true) & completionRequested) !== 0;
  return wantsCompletion
    ? { kind: "request", identity, transaction, command }
    : { kind: "message", identity, command };
}

function readIdentity(packet: Uint8Array, view: DataView): ChannelIdentity {
  const slice = bytesToGuid(packet.subarray(descriptorBytes, descriptorBytes + 16));
  return { slice, generation: view.getBigUint64(descriptorBytes + 16, true) };
}

/** @returns the packet, and where its payload begins */
function frame(
  type: number,
  transaction: bigint,
  payloadBytes: number,
  identity: ChannelIdentity | null,
): { readonly packet: Uint8Array<ArrayBuffer>; readonly at: number } {
  const at = descriptorBytes + (identity === null ? 0 : identityBytes);
  const bytes = (at + payloadBytes + 7) & ~7;
  if (bytes > MAX_PACKET)
    throw new ProtocolError("too-long", `a packet of ${bytes} bytes, the limit is ${MAX_PACKET}`);
  const packet = new Uint8Array(bytes);
  const view = new DataView(packet.buffer);
  view.setUint16(0, type, true);
  view.setUint16(2, at / 8, true);
  view.setUint16(4, bytes / 8, true);
  view.setUint16(6, type === PacketType.INBAND && transaction !== 0n ? completionRequested : 0, true);
  view.setBigUint64(8, transaction, true);
  if (identity !== null) {
    packet.set(guidToBytes(identity.slice), descriptorBytes);
    view.setBigUint64(descriptorBytes + 16, identity.generation, true);
  }
  return { packet, at };
}

function decodeCommand(payload: Uint8Array): Command {
  const view = header(payload, commandHeaderBytes);
  return {
    process: view.getUint32(8, true),
    channelType: view.getUint32(12, true),
    type: view.getUint32(16, true),
    body: bodyOf(payload, commandHeaderBytes, view.getUint32(20, true)),
  };
}

function decodeCompletion(payload: Uint8Array): { status: number; body: Uint8Array } {
  const view = header(payload, completionHeaderBytes);
  return {
    status: view.getUint32(0, true),
    body: bodyOf(payload, completionHeaderBytes, view.getUint32(4, true)),
  };
}

function header(payload: Uint8Array, bytes: number): DataView {
  if (payload.length < bytes)
    throw new ProtocolError("truncated", `a payload of ${payload.length} bytes; its header has ${bytes}`);
  return new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
}

function bodyOf(payload: Uint8Array, at: number, bytes: number): Uint8Array {
  if (bytes > payload.length - at) {
    throw new ProtocolError("bad-length", `a body of ${bytes} bytes where ${payload.length - at} are left`);
  }
  return payload.subarray(at, at + bytes);
}
