/** What a driver does to have its device migrated, and the numbers of the user interface (include/uapi/linux/vfio.h). */

export type MigrationState =
  | "ERROR"
  | "STOP"
  | "RUNNING"
  | "STOP_COPY"
  | "RESUMING"
  | "RUNNING_P2P"
  | "PRE_COPY"
  | "PRE_COPY_P2P";

/** By number. */
export const migrationStates: readonly MigrationState[] = [
  "ERROR",
  "STOP",
  "RUNNING",
  "STOP_COPY",
  "RESUMING",
  "RUNNING_P2P",
  "PRE_COPY",
  "PRE_COPY_P2P",
];

export const MigrationFlag = { STOP_COPY: 1, P2P: 2, PRE_COPY: 4 } as const;

/** The device's state as it leaves or comes in; reading ends with no bytes. */
export interface MigrationStream {
  /** @returns at most `length` bytes; none: that was all, for now */
  read?(length: number): Uint8Array | Promise<Uint8Array>;
  write?(bytes: Uint8Array): void | Promise<void>;
  /** In PRE_COPY: how many bytes there are still to come. */
  precopyInfo?(): { readonly initialBytes: bigint; readonly dirtyBytes: bigint };
  /** The last call. */
  release?(): void;
}

/** One step. Only those that `MigrationOps.flags` make necessary are asked for. */
export interface MigrationArc {
  readonly from: MigrationState;
  readonly to: MigrationState;
}

export interface MigrationOps {
  /** STOP_COPY, with what else the device can do of P2P and PRE_COPY. */
  readonly flags: number;
  /**
   * Does one step. After an error the device is in ERROR, or, when the driver could stay, where it was: see `recover`.
   * @returns the stream, from a step into RESUMING, PRE_COPY or (not from PRE_COPY…) STOP_COPY; nothing else
   */
  // biome-ignore lint/suspicious/noConfusingVoidType: most steps give nothing
  step(arc: MigrationArc): MigrationStream | void | Promise<MigrationStream | void>;
  /** After a failed step: "kept" says that the device still is where it was. Default "error". */
  recover?(arc: MigrationArc): "kept" | "error";
  /** About how many bytes STOP_COPY will give. */
  dataSize?(): bigint;
}
