/**
 * A guest's channel program, copied out of its memory: segments of CCWs that stand behind each other, found from the
 * address in the ORB and from every transfer in channel. What the guest changes afterwards changes nothing here.
 */
import type { Ccw1 } from "parhelion-buses";
import { KernelError } from "parhelion-core";
import { ccwBytes, decodeCcw, isChained, isTransfer } from "./ccws.js";
import { type GuestMemory, pageBytes, readGuest } from "./guest-memory.js";
import { maxProgramCcws, maxSegmentCcws } from "./limits.js";

/** CCWs are within the reach of 31 bits; the address behind the last one still fits where status says it. */
const addressLimit = 2 ** 31;

export interface Segment {
  /** Where it begins in the guest's memory. */
  readonly address: number;
  readonly ccws: readonly Ccw1[];
}

/** The segment that has a CCW at `address`. */
export function segmentAt<S extends Segment>(segments: readonly S[], address: number): S | undefined {
  return segments.find(
    (segment) => address >= segment.address && address < segment.address + segment.ccws.length * ccwBytes,
  );
}

/**
 * The first segment is the one at `start`.
 * @param format of the CCWs in memory; what is returned is format 1
 * @throws KernelError EINVAL a segment or the program is too long, or an address can't be of a CCW; EFAULT no memory
 */
export async function fetchSegments(
  memory: GuestMemory,
  start: number,
  format: 0 | 1,
): Promise<readonly Segment[]> {
  const segments: Segment[] = [];
  const wanted = [start];
  let total = 0;
  for (const address of wanted) {
    if (address % ccwBytes !== 0 || address >= addressLimit) {
      const wanted = `a multiple of ${ccwBytes} below ${hex(addressLimit)}`;
      throw new KernelError("EINVAL", `no CCW can be at ${hex(address)}; give ${wanted}`);
    }
    if (segmentAt(segments, address) !== undefined) continue;
    const segment = { address, ccws: await fetchSegment(memory, address, format) };
    segments.push(segment);
    total += segment.ccws.length;
    if (total > maxProgramCcws) {
      throw new KernelError("EINVAL", `the channel program has more than ${maxProgramCcws} CCWs; split it`);
    }
    for (const ccw of segment.ccws) if (isTransfer(ccw)) wanted.push(ccw.cda);
  }
  return segments;
}

async function fetchSegment(memory: GuestMemory, start: number, format: 0 | 1): Promise<readonly Ccw1[]> {
  const ccws: Ccw1[] = [];
  let bytes: Uint8Array = new Uint8Array();
  let at = 0;
  while (ccws.length < maxSegmentCcws) {
    if (at >= bytes.length) {
      const address = start + ccws.length * ccwBytes;
      if (address >= addressLimit) {
        throw new KernelError("EINVAL", `the CCWs from ${hex(start)} on go beyond ${hex(addressLimit)}`);
      }
      // Up to the end of the page only: what is behind the program need not be there.
      const room = Math.min(pageBytes - (address % pageBytes), (maxSegmentCcws - ccws.length) * ccwBytes);
      bytes = await readGuest(memory, address, room);
      at = 0;
    }
    const ccw = decodeCcw(bytes, at, format);
    ccws.push(ccw);
    at += ccwBytes;
    if (!goesOn(ccw, start, ccws.length)) return ccws;
  }
  throw new KernelError(
    "EINVAL",
    `more than ${maxSegmentCcws} CCWs follow each other from ${hex(start)} on; split the program`,
  );
}

/**
 * Whether what stands behind the CCW belongs to the segment: it is chained to it, or the CCW leads back into the segment,
 * where the one before it may have the channel skip this one.
 */
function goesOn(ccw: Ccw1, start: number, length: number): boolean {
  if (!isTransfer(ccw)) return isChained(ccw);
  return ccw.cda >= start && ccw.cda < start + length * ccwBytes;
}

export function hex(address: number): string {
  return `0x${address.toString(16)}`;
}
