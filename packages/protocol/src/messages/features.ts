/** Feature bits of the connection between guest kernel and host. What both ends have is in use from the contact on. */
export const VmbusFeature = {
  /** Every message about a channel names the slice and the generation that it is about. */
  IDENTITY: 1n << 0n,
  /** HEARTBEAT is answered. */
  HEARTBEAT: 1n << 1n,
} as const;

/** All that this implementation has. */
export const vmbusFeatures: bigint = VmbusFeature.IDENTITY | VmbusFeature.HEARTBEAT;
