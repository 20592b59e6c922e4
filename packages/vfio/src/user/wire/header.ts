/** The 16 bytes that every message begins with: `id u16, command u16, size u32 (all of the message), flags u32, errno u32`. */
import { Reader } from "./reader.js";
import { Writer } from "./writer.js";

export const headerBytes = 16;

const typeMask = 0xf;
const typeCommand = 0;
const typeReply = 1;
const noReply = 0x10;
const error = 0x20;

export interface Header {
  /** Belongs to who sends the command; a reply has the same. */
  readonly id: number;
  readonly command: number;
  /** In bytes, this header included. */
  readonly size: number;
  /** "unknown": of neither type that the protocol has. */
  readonly type: "command" | "reply" | "unknown";
  /** For a command: whether an answer is wanted. */
  readonly answer: "wanted" | "unwanted";
  /** For a reply: 0 when there was no error. One without a number is told as EIO's. */
  readonly errno: number;
}

const EIO = 5;

/** @param bytes at least `headerBytes` */
export function decodeHeader(bytes: Uint8Array): Header {
  const reader = new Reader("header", bytes);
  const id = reader.u16();
  const command = reader.u16();
  const size = reader.u32();
  const flags = reader.u32();
  const number = reader.u32();
  const kind = flags & typeMask;
  return {
    id,
    command,
    size,
    type: kind === typeCommand ? "command" : kind === typeReply ? "reply" : "unknown",
    answer: (flags & noReply) === 0 ? "wanted" : "unwanted",
    errno: (flags & error) === 0 ? 0 : number === 0 ? EIO : number,
  };
}

export function encodeCommand(id: number, command: number, body: Uint8Array): Uint8Array {
  return frame(id, command, typeCommand, 0, body);
}

export function encodeReply(id: number, command: number, body: Uint8Array): Uint8Array {
  return frame(id, command, typeReply, 0, body);
}

/** A header and nothing behind it. @param errno Linux's, above 0 */
export function encodeError(id: number, command: number, errno: number): Uint8Array {
  return frame(id, command, typeReply | error, errno, new Uint8Array(0));
}

function frame(id: number, command: number, flags: number, errno: number, body: Uint8Array): Uint8Array {
  const size = headerBytes + body.length;
  return new Writer(size).u16(id).u16(command).u32(size).u32(flags).u32(errno).put(body).bytes;
}
