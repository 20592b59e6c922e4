/** What translating a channel program needs of the guest's memory. */
import type { DeviceDma } from "parhelion-vfio";

/** Addresses are the guest's. */
export type GuestMemory = Pick<DeviceDma, "read" | "pin">;

export const pageBytes = 4096;

export async function readGuest(memory: GuestMemory, address: number, length: number): Promise<Uint8Array> {
  return memory.read(BigInt(address), length);
}
