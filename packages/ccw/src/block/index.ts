/** Blocks of disks behind subchannels, for whoever has their VFIO devices. */
export { CcwBlockDevice, type CcwBlockOptions } from "./block-device.js";
export { blockBytes, blocksPerTrack, type Disk as BlockDisk } from "./eckd.js";
export { BlockError, isBlockError } from "./error.js";
export { type BlockErrorCode, blockErrorCodes } from "./error-codes.js";
export type { SubchannelChoices } from "./opened-subchannel.js";
export { SubchannelDisk } from "./subchannel-disk.js";
export { type SubchannelListener, SubchannelUser } from "./subchannel-user.js";
