/**
 * What can be asked of an open device, under the names of the ioctls (include/uapi/linux/vfio.h), and of the file itself.
 * Where Linux passes descriptors these pass the open files.
 */
import type { OpenFile } from "parhelion-core";
import type { IrqSet } from "../irq/irq.js";
import type { MigrationStream } from "../migration/ops.js";

/** An open file, whatever it is of. */
export type FileHandle = Pick<OpenFile, "name" | "state" | "opener">;

export const DeviceFlag = {
  RESET: 1,
  PCI: 2,
  PLATFORM: 4,
  AMBA: 8,
  CCW: 0x10,
  AP: 0x20,
  FSL_MC: 0x40,
  CAPS: 0x80,
  CDX: 0x100,
} as const;

export interface DeviceInfo {
  /** What would have been enough. */
  readonly argsz: number;
  readonly flags: number;
  readonly numRegions: number;
  readonly numIrqs: number;
  /** From the structure's begin; 0: there is no chain, or `argsz` was too small for it. */
  readonly capOffset: number;
  /** The chain, which begins at `capOffset`; empty where that is 0. */
  readonly capabilities: Uint8Array;
}

export interface RegionInfo {
  readonly argsz: number;
  readonly flags: number;
  readonly index: number;
  readonly capOffset: number;
  readonly size: bigint;
  /** Of the region in the file. Not to be computed: other devices have other offsets. */
  readonly offset: bigint;
  readonly capabilities: Uint8Array;
}

export interface IrqInfo {
  readonly argsz: number;
  readonly flags: number;
  readonly index: number;
  readonly count: number;
}

export const FeatureFlag = { MASK: 0xffff, GET: 0x1_0000, SET: 0x2_0000, PROBE: 0x4_0000 } as const;
export const Feature = {
  PCI_VF_TOKEN: 0,
  MIGRATION: 1,
  MIG_DEVICE_STATE: 2,
  DMA_LOGGING_START: 6,
  DMA_LOGGING_STOP: 7,
  DMA_LOGGING_REPORT: 8,
  MIG_DATA_SIZE: 9,
} as const;

/** The argument of FEATURE. What Linux points to lies in `data`, behind the structure. */
export interface FeatureCall {
  /** In bytes, with the eight of the header. */
  readonly argsz: number;
  /** One of `Feature`, with GET, SET or PROBE. */
  readonly flags: number;
  /** Little-endian, as the structure that the feature names; absent: zeros. */
  readonly data?: Uint8Array;
}

export interface FeatureReply {
  /** What the structure holds afterwards. */
  readonly data: Uint8Array;
  /** From MIG_DEVICE_STATE: instead of `data_fd`, which is 0 then, else -1. */
  readonly stream?: MigrationStream;
}

export interface DeviceCalls {
  GET_INFO: { request: { readonly argsz: number }; reply: DeviceInfo };
  GET_REGION_INFO: { request: { readonly argsz: number; readonly index: number }; reply: RegionInfo };
  GET_IRQ_INFO: { request: { readonly argsz: number; readonly index: number }; reply: IrqInfo };
  SET_IRQS: { request: IrqSet; reply: undefined };
  RESET: { request: object; reply: undefined };
  FEATURE: { request: FeatureCall; reply: FeatureReply };
  BIND_IOMMUFD: {
    request: { readonly argsz: number; readonly flags: number; readonly iommufd: FileHandle | null };
    reply: { readonly devid: number };
  };
  ATTACH_IOMMUFD_PT: {
    request: { readonly argsz: number; readonly flags: number; readonly ptId: number };
    reply: { readonly ptId: number };
  };
  DETACH_IOMMUFD_PT: { request: { readonly argsz: number; readonly flags: number }; reply: undefined };
  /** pread: `offset` is that of the file. */
  READ: { request: { readonly offset: bigint; readonly length: number }; reply: Uint8Array };
  /** pwrite. @returns how many bytes were taken */
  WRITE: { request: { readonly offset: bigint; readonly bytes: Uint8Array }; reply: number };
  /** What is the driver's own, by the ioctl's name. */
  IOCTL: { request: { readonly name: string; readonly argument: unknown }; reply: unknown };
}

/** One of a table of calls, as the file gets it. */
export type RequestOf<C extends { [K in keyof C]: { request: object; reply: unknown } }> = {
  [K in keyof C]: { readonly op: K } & C[K]["request"];
}[keyof C];
export type ReplyOf<C extends { [K in keyof C]: { request: object; reply: unknown } }> = C[keyof C]["reply"];

export type DeviceRequest = RequestOf<DeviceCalls>;
export type DeviceReply = ReplyOf<DeviceCalls>;
export type DeviceFile = OpenFile<DeviceRequest, DeviceReply>;
