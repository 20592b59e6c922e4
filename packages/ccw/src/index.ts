/** Channel I/O on the device model. */
export {
  type BlockDisk,
  BlockError,
  type BlockErrorCode,
  blockBytes,
  blockErrorCodes,
  blocksPerTrack,
  CcwBlockDevice,
  type CcwBlockOptions,
  isBlockError,
  type SubchannelChoices,
  SubchannelDisk,
  type SubchannelListener,
  SubchannelUser,
} from "./block/index.js";
export {
  Console3215,
  type ConsoleSocket,
  maxLines,
  serveConsole,
  type TerminalOptions,
} from "./console/index.js";
export { Dasd3390, type Dasd3390Options } from "./dasd/dasd-3390.js";
export type { Disk } from "./dasd/disk.js";
export type { DasdIdentity } from "./dasd/identity.js";
export {
  blockRecords,
  datasetBlocks,
  datasetMembers,
  datasetRecords,
  type Member,
} from "./image/dataset-blocks.js";
export { DiskImage, type OpenImageOptions } from "./image/disk-image.js";
export type { DatasetExtent, DayOfYear, Organization, VolumeDataset } from "./image/dscb.js";
export { fromEbcdic, toEbcdic } from "./image/ebcdic.js";
export { ImageError, isImageError } from "./image/error.js";
export { type ImageErrorCode, imageErrorCodes } from "./image/error-codes.js";
export { type Geometry, type TrackAddress, trackAddress } from "./image/geometry.js";
export { type Access, HostDisk, type ImageDisk, type ImageFile } from "./image/image-file.js";
export type { ImageLock } from "./image/lock.js";
export { type CkdRecord, decodeTrack, encodeTrack, type Track } from "./image/track.js";
export type { TrackSource } from "./image/track-source.js";
export type { ImageFormat, SpaceUse } from "./image/track-store.js";
export { type VolumeLabel, volumeDatasets, volumeLabel } from "./image/volume.js";
export {
  type ChannelDevice,
  ChannelProgram,
  type ChannelProgramInit,
  type Command,
  type CommandClass,
  type CommandPath,
  type Conclusion,
  type DataPath,
  type DeviceLine,
  type Ended,
  type Ending,
  type Intermediate,
  type ProgramLimits,
  type StartControls,
  type Stopped,
  type Suspended,
  startControls,
} from "./interpreter/index.js";
export { ChannelPath } from "./path/channel-path.js";
export { ccwRecords } from "./record-list.js";
export {
  AbsoluteStorage,
  type Answer,
  type MainStorage,
  maxStorageSize,
  StorageFault,
  type StorageFaultReason,
  type StorageKey,
  storageBlock,
} from "./storage/index.js";
export {
  type AttachInit,
  ChannelSubsystem,
  type ChannelSubsystemInit,
} from "./subsystem/channel-subsystem.js";
export {
  ASYNC_COMMAND,
  COMMAND_REGION,
  type FrameContent,
  type HostBlock,
  HostStorage,
  IO_REGION,
  type LentFrames,
  VFIO_CCW_IRQ,
  VFIO_CCW_NAMES,
  VFIO_CCW_OFFSET_SHIFT,
  VFIO_CCW_REGION,
  VFIO_CCW_REGION_BYTES,
  VFIO_CCW_REGION_SUBTYPE,
  VFIO_CCW_REGION_TYPE,
  VfioCcw,
  type VfioCcwInit,
} from "./vfio-ccw/index.js";
