/** Subchannels passed through to users of VFIO. */
export {
  ASYNC_COMMAND,
  COMMAND_REGION,
  IO_REGION,
  VFIO_CCW_IRQ,
  VFIO_CCW_NAMES,
  VFIO_CCW_OFFSET_SHIFT,
  VFIO_CCW_REGION,
  VFIO_CCW_REGION_BYTES,
  VFIO_CCW_REGION_SUBTYPE,
  VFIO_CCW_REGION_TYPE,
} from "./abi.js";
export { VfioCcw, type VfioCcwInit } from "./drivers.js";
export { type FrameContent, type HostBlock, HostStorage, type LentFrames } from "./host-storage.js";
