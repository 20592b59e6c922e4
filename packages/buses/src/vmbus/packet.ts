/**
 * Packets of a channel and the commands in them. A packet: a 16-byte descriptor `{type u16, offset8 u16, len8 u16,
 * flags u16, trans_id u64}`, the payload, zeros up to a multiple of 8. A command in the payload: a 24-byte header
 * `{command_id u64, process u32, channel_type u32, command_type u32, body bytes u32}` and the body; a completion's payload:
 * `{NTSTATUS u32, body bytes u32}` and the body. The byte counts keep the padding from being read as fields.
 */
import { ProtocolError } from "parhelion-protocol";

export const PacketType = { INBAND: 6, COMPLETION: 0xb } as const;
const completionRequested = 1;
const descriptorBytes = 16;
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

export type Packet =
  | { readonly kind: "request"; readonly transaction: bigint; readonly command: Command }
  | { readonly kind: "message"; readonly command: Command }
  | {
      readonly kind: "completion";
      readonly transaction: bigint;
      readonly status: number;
      readonly body: Uint8Array;
    };

/** @param transaction 0n: no completion is wanted. @throws ProtocolError too-long */
export function encodeCommand(command: Command, transaction: bigint): Uint8Array {
  const packet = frame(PacketType.INBAND, transaction, commandHeaderBytes + command.body.length);
  const view = new DataView(packet.buffer);
  view.setUint32(descriptorBytes + 8, command.process, true);
  view.setUint32(descriptorBytes + 12, command.channelType, true);
  view.setUint32(descriptorBytes + 16, command.type, true);
  view.setUint32(descriptorBytes + 20, command.body.length, true);
  packet.set(command.body, descriptorBytes + commandHeaderBytes);
  return packet;
}

/** @throws ProtocolError too-long */
export function encodeCompletion(transaction: bigint, status: number, body: Uint8Array): Uint8Array {
  const packet = frame(PacketType.COMPLETION, transaction, completionHeaderBytes + body.length);
  const view = new DataView(packet.buffer);
  view.setUint32(descriptorBytes, status, true);
  view.setUint32(descriptorBytes + 4, body.length, true);
  packet.set(body, descriptorBytes + completionHeaderBytes);
  return packet;
}

/** @throws ProtocolError truncated, bad-header, bad-length, unknown-packet */
export function decodePacket(packet: Uint8Array): Packet {
  if (packet.length < descriptorBytes)
    throw new ProtocolError("truncated", `a packet of ${packet.length} bytes has no descriptor`);
  const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
  const offset = 8 * view.getUint16(2, true);
  const length = 8 * view.getUint16(4, true);
  if (offset !== descriptorBytes || length !== packet.length) {
    throw new ProtocolError(
      "bad-header",
      `payload at ${offset}, ${length} bytes in all; the packet has ${packet.length}`,
    );
  }
  const type = view.getUint16(0, true);
  const transaction = view.getBigUint64(8, true);
  const payload = packet.subarray(descriptorBytes);
  if (type === PacketType.COMPLETION)
    return { kind: "completion", transaction, ...decodeCompletion(payload) };
  if (type !== PacketType.INBAND)
    throw new ProtocolError("unknown-packet", `packets of type ${type} are not used`);
  const command = decodeCommand(payload);
  const wantsCompletion = (view.getUint16(6, true) & completionRequested) !== 0;
  return wantsCompletion ? { kind: "request", transaction, command } : { kind: "message", command };
}

function frame(type: number, transaction: bigint, payloadBytes: number): Uint8Array {
  const bytes = (descriptorBytes + payloadBytes + 7) & ~7;
  if (bytes > MAX_PACKET)
    throw new ProtocolError("too-long", `a packet of ${bytes} bytes, the limit is ${MAX_PACKET}`);
  const packet = new Uint8Array(bytes);
  const view = new DataView(packet.buffer);
  view.setUint16(0, type, true);
  view.setUint16(2, descriptorBytes / 8, true);
  view.setUint16(4, bytes / 8, true);
  view.setUint16(6, type === PacketType.INBAND && transaction !== 0n ? completionRequested : 0, true);
  view.setBigUint64(8, transaction, true);
  return packet;
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
