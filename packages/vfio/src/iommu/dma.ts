/** How a device reaches its user's memory: through whatever the user has mapped for it, and nothing else. */

/** A range that stays where it is until it is unpinned. */
export interface PinnedRange {
  readonly iova: bigint;
  readonly length: number;
  /** "taken": the user unmapped it, or the device was closed. Using it answers EFAULT. While its device stands still: EBUSY. */
  readonly state: "pinned" | "unpinned" | "taken";
  /** The bytes themselves, where the user shares them in one piece; else null. Not to be kept across an await. */
  view(): Uint8Array | null;
  /** @throws KernelError EFAULT outside of it, or not pinned any more; and as `DeviceDma.read` */
  read(offset: number, length: number): Promise<Uint8Array>;
  /** @throws KernelError as `read`, and EPERM pinned for reading */
  write(offset: number, bytes: Uint8Array): Promise<void>;
  /** Gives it back; what was pinned for writing counts as written. Without effect on one that is not pinned any more. */
  unpin(): void;
}

export interface DeviceDma {
  /**
   * A copy of the user's bytes. Mappings that touch count as one.
   * @throws KernelError EFAULT some of it is not mapped, or was unmapped meanwhile; EPERM it is not for reading; ENODEV
   * the device is not open, or was revoked meanwhile; EBUSY it stands still for its migration; ETIMEDOUT the user does not answer; and what the user's memory throws
   */
  read(iova: bigint, length: number): Promise<Uint8Array>;
  /** @throws KernelError as `read`. Some of the bytes may have been written then. */
  write(iova: bigint, bytes: Uint8Array): Promise<void>;
  /**
   * The bytes themselves, where the user shares them in one piece; null: use `read` and `write`. Not to be kept across an
   * await. What is got for writing counts as written. @throws KernelError EFAULT, EPERM, ENODEV as `read`
   */
  view(iova: bigint, length: number, access: "read" | "write"): Uint8Array | null;
  /** @throws KernelError EINVAL no bytes, E2BIG more than `maxPinnedBytes`, and EFAULT, EPERM, ENODEV, EBUSY as `read` */
  pin(iova: bigint, length: number, access: "read" | "write" | "read-write"): PinnedRange;
}
