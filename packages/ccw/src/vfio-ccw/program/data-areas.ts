/** Where the data of a CCW lies in the guest's memory: one block after the other, found through its IDAWs or without. */
import { type Ccw1, CcwFlag } from "parhelion-buses";
import { KernelError } from "parhelion-core";
import type { Answer } from "../../storage/answer.js";
import { type GuestMemory, readGuest } from "./guest-memory.js";

/** How the guest's ORB has indirect addresses. */
export interface IdawFormat {
  /** Of one address, in bytes. */
  readonly wordBytes: 4 | 8;
  /** What one address reaches, up to a multiple of it. */
  readonly blockBytes: 2048 | 4096;
}

/** @param c64, i2k as in the ORB */
export function idawFormatOf({ c64, i2k }: { readonly c64: number; readonly i2k: number }): IdawFormat {
  if (c64 === 0) return { wordBytes: 4, blockBytes: 2048 };
  return { wordBytes: 8, blockBytes: i2k === 1 ? 2048 : 4096 };
}

/**
 * The address in each block; only the first may be within one. What is no multiple though it should be stays so, for the
 * channel to object to.
 * @throws KernelError EINVAL the CCW asks for what is not supported, EFAULT its IDAWs can't be read
 */
export function dataAddresses(
  memory: GuestMemory,
  { cda, count, flags }: Ccw1,
  format: IdawFormat,
): Answer<readonly number[]> {
  if ((flags & CcwFlag.MIDA) !== 0) {
    throw new KernelError("EINVAL", "modified indirect addresses (MIDAW) are not passed through; use IDAWs");
  }
  if ((flags & CcwFlag.IDA) !== 0) return listedAddresses(memory, cda, count, format);
  const { blockBytes } = format;
  const blocks = blocksOf(cda, Math.max(1, count), blockBytes);
  const addresses = [cda];
  const first = cda - (cda % blockBytes);
  for (let block = 1; block < blocks; block += 1) addresses.push(first + block * blockBytes);
  return addresses;
}

/** @param list where the IDAWs are */
async function listedAddresses(
  memory: GuestMemory,
  list: number,
  count: number,
  { wordBytes, blockBytes }: IdawFormat,
): Promise<readonly number[]> {
  const [start] = words(await readGuest(memory, list, wordBytes), wordBytes);
  if (start === undefined) return [];
  // It is not read again: the guest may have changed it, and then the list would be too short for it.
  const more = blocksOf(start, Math.max(1, count), blockBytes) - 1;
  if (more === 0) return [start];
  return [start, ...words(await readGuest(memory, list + wordBytes, more * wordBytes), wordBytes)];
}

function blocksOf(address: number, bytes: number, block: number): number {
  return Math.ceil(((address % block) + bytes) / block);
}

function words(bytes: Uint8Array, wordBytes: 4 | 8): readonly number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: Math.floor(bytes.length / wordBytes) }, (_, index) =>
    wordBytes === 4 ? view.getUint32(index * 4) : Number(view.getBigUint64(index * 8)),
  );
}
