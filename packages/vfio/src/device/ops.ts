/**
 * What a driver does for one VFIO device. One object serves one device, so what it needs it has in itself.
 *
 * `openDevice` and `closeDevice` alternate strictly. What is between them (everything but `regions`, `irqs`, `request` and
 * `release`) is called only between the end of the one and the begin of the other, several at once where users ask for
 * several at once. `release` is the last call, once. No callback may wait for the user: it would keep others waiting.
 */
import type { MappedMemory } from "parhelion-core";
import type { IrqChange, VfioIrq } from "../irq/irq.js";
import type { MigrationOps } from "../migration/ops.js";
import type { VfioRegion } from "../region/region.js";
import type { FeatureCall, FeatureReply } from "./calls.js";

export interface VfioDeviceOps {
  /** The first user comes. Throws to refuse: the user gets the error, and nothing has happened. */
  openDevice?(): void | Promise<void>;
  /** The last user has gone, or was cut off: triggers are dropped, and DMA answers ENODEV. An error is logged as `vfio.close-failed`. */
  closeDevice?(): void | Promise<void>;
  /** What there is at this moment: some devices have more regions while they are open. The index is the region's number. */
  regions(): readonly VfioRegion[];
  /** Kinds of interrupts by index; default none. Must say the same until the device is closed. */
  irqs?(): readonly VfioIrq[];
  /**
   * `length` bytes from `offset` of the region on. The range lies within the region, which can be read.
   * @returns as many bytes as were asked for, or fewer: a short read
   */
  read(region: number, offset: number, length: number): Uint8Array | Promise<Uint8Array>;
  /** The range lies within the region, which can be written. @returns how many bytes were taken, without it all */
  // biome-ignore lint/suspicious/noConfusingVoidType: most drivers take all, and say nothing
  write(region: number, offset: number, bytes: Uint8Array): number | void | Promise<number | void>;
  /** Gives memory for a range of a region that says it can be mapped. */
  map?(region: number, offset: number, length: number): MappedMemory | Promise<MappedMemory>;
  /** Is told of a valid change before it is done. Throws to refuse it. Triggers and masks are kept for the driver: see `VfioDevice.irqs`. */
  setIrqs?(change: IrqChange): void | Promise<void>;
  /** With it GET_INFO says RESET. */
  reset?(): void | Promise<void>;
  /**
   * Asks the user to let go, usually by triggering an interrupt: at once when the device is to go, then every ten seconds
   * while there are users. Nobody waits for it longer than for the users, or than a second where they have no time: then
   * the device is closed while it runs. @param count how often it was called before
   */
  request?(count: number): void | Promise<void>;
  /**
   * The user takes this range back: whatever is pinned in it must be unpinned when this settles. What still is is then
   * taken from the driver, and logged as `vfio.pins-left`.
   */
  dmaUnmap?(iova: bigint, length: bigint): void | Promise<void>;
  /** Without it the device can't be migrated: its features answer ENOTTY. */
  readonly migration?: MigrationOps;
  /** Features that are the driver's own. ENOTTY says that it does not know it, as does leaving this out. */
  feature?(call: FeatureCall): FeatureReply | Promise<FeatureReply>;
  /** Requests that are the driver's own (PCI hot reset, display planes). Without it they answer ENOTTY. */
  ioctl?(name: string, argument: unknown): unknown;
  /** The last reference to the device is gone. Must not wait. */
  release?(): void;
}
