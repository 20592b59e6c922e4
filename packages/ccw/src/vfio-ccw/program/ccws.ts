/** What a CCW of format 1 asks of whoever translates it (after drivers/s390/cio/vfio_ccw_cp.c). */
import { type Ccw1, CcwFlag } from "parhelion-buses";
import { word } from "../../interpreter/ccw.js";

export const ccwBytes = 8;

export const transferInChannel = 0x08;
const noOperation = 0x03;
const readBackward = 0x0c;
const sense = 0x04;

/** A transfer in channel; its flags and count mean nothing. */
export function isTransfer({ cmd }: Ccw1): boolean {
  return cmd === transferInChannel;
}

/** Whether the channel goes on with the CCW behind this one. Precondition: it is no transfer. */
export function isChained({ flags }: Ccw1): boolean {
  return (flags & (CcwFlag.CD | CcwFlag.CC)) !== 0;
}

/** Whether the device will touch the memory that the CCW designates. Precondition: it is no transfer. */
export function movesData({ cmd, flags, count }: Ccw1): boolean {
  if (count === 0 || cmd === noOperation) return false;
  if ((flags & CcwFlag.SKIP) === 0) return true;
  // Skipping means something where data comes from the device only: read, read backward, sense.
  const low = cmd & 0x0f;
  return !((cmd & 0x03) === 0x02 || low === readBackward || low === sense);
}

/**
 * By hand and not by its layout, as a program has hundreds; a test holds the two together.
 * @param at in bytes @param format of the CCW in memory
 */
export function decodeCcw(bytes: Uint8Array, at: number, format: 0 | 1): Ccw1 {
  const first = word(bytes, at);
  const second = word(bytes, at + 4);
  const cmd = first >>> 24;
  if (format === 1) return { cmd, flags: (first >>> 16) & 0xff, count: first & 0xffff, cda: second };
  const cda = first & 0xff_ffff;
  // In format 0 the high half of a transfer's command code is free.
  return (cmd & 0x0f) === transferInChannel
    ? { cmd: transferInChannel, flags: 0, count: 0, cda }
    : { cmd, flags: second >>> 24, count: second & 0xffff, cda };
}

/** In format 1. Precondition: each value fits its field. @param at in bytes */
export function encodeCcw(
  view: DataView,
  at: number,
  cmd: number,
  flags: number,
  count: number,
  cda: number,
): void {
  view.setUint32(at, ((cmd << 24) | (flags << 16) | count) >>> 0);
  view.setUint32(at + 4, cda);
}

/** What the device does with that memory: reading and sensing write it. Precondition: it is no transfer. */
export function useOf({ cmd }: Ccw1): "read" | "write" {
  const low = cmd & 0x0f;
  return (cmd & 0x03) === 0x02 || low === readBackward || low === sense ? "write" : "read";
}
