/** A channel command word, whichever format it had in storage. */
import { CcwFlag } from "parhelion-buses";
import type { CommandClass } from "./device.js";

export interface Ccw {
  /** Where it was fetched. */
  readonly address: number;
  readonly code: number;
  readonly flags: number;
  readonly count: number;
  /** Data address, or that of the IDAW list, or where a transfer in channel goes. */
  readonly data: number;
}

export const ccwSize = 8;

/** The greatest address a CCW of the format can name. */
export function addressLimit(format: 0 | 1): number {
  return format === 0 ? 0xff_ffff : 0x7fff_ffff;
}

/** As the status has it: 8 past the CCW, in 31 bits. */
export function pastCcw(address: number): number {
  return (address + ccwSize) % 2 ** 31;
}

// By hand and not by the layouts: this is the inner loop. A test holds the two together.
export function decodeCcw(bytes: Uint8Array, format: 0 | 1, address: number): Ccw {
  const first = word(bytes, 0);
  const second = word(bytes, 4);
  const code = first >>> 24;
  return format === 0
    ? { address, code, flags: second >>> 24, count: second & 0xffff, data: first & 0xff_ffff }
    : { address, code, flags: (first >>> 16) & 0xff, count: first & 0xffff, data: second };
}

/** Four bytes as a number; making a view of the bytes takes longer than the sum. */
export function word(bytes: Uint8Array, at: number): number {
  const high = ((bytes[at] ?? 0) << 24) | ((bytes[at + 1] ?? 0) << 16);
  return (high | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0)) >>> 0;
}

/** Transfer in channel: in format 0 whatever the modifier bits are. */
export function isTransfer(code: number, format: 0 | 1): boolean {
  return format === 0 ? (code & 0x0f) === 0x08 : code === 0x08;
}

/** Null for a code that is no command. */
export function commandClass(code: number): CommandClass | null {
  if ((code & 0x03) === 1) return "write";
  if ((code & 0x03) === 2) return "read";
  if ((code & 0x03) === 3) return "control";
  if ((code & 0x0f) === 4) return "sense";
  return (code & 0x0f) === 0x0c ? "read-backward" : null;
}

export function has(ccw: Ccw, flag: keyof typeof CcwFlag): boolean {
  return (ccw.flags & CcwFlag[flag]) !== 0;
}
