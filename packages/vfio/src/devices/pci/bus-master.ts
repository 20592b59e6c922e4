/**
 * A function reaches memory only while its driver lets it: by the bus master bit of its command register. That is what a machine takes
 * from the function of a driver that has died, before it gives the driver's memory to somebody else.
 */
import { KernelError } from "parhelion-core";
import type { DeviceDma } from "../../iommu/dma.js";
import type { PciConfig } from "./config.js";
import { PciCommand, PciOffset } from "./config-offsets.js";

/** What a function needs of the user's memory. */
export type BusDma = Pick<DeviceDma, "read" | "write">;

/** The same memory, and EPERM to every access that begins while the bit is clear. What a read brings after that is dropped. */
export function asBusMaster(name: string, config: PciConfig, dma: BusDma): BusDma {
  const check = (): void => {
    if ((config.field(PciOffset.command, 2) & PciCommand.busMaster) !== 0) return;
    throw new KernelError("EPERM", `${name} may not reach memory: bit 2 of its command register is clear`);
  };
  return {
    async read(iova, length) {
      check();
      const bytes = await dma.read(iova, length);
      check();
      return bytes;
    },
    async write(iova, bytes) {
      check();
      await dma.write(iova, bytes);
    },
  };
}
