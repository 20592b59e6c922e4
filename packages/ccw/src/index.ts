/** Channel I/O on the device model. */
export { ChannelPath } from "./path/channel-path.js";
export {
  type AttachInit,
  ChannelSubsystem,
  type ChannelSubsystemInit,
} from "./subsystem/channel-subsystem.js";
