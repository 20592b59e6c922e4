/** Channel programs, and what runs them. */
export type { Conclusion, Ended, Intermediate, Stopped, Suspended } from "./conclusion.js";
export { type StartControls, startControls } from "./controls.js";
export type {
  ChannelDevice,
  Command,
  CommandClass,
  CommandPath,
  DataPath,
  DeviceLine,
  Ending,
} from "./device.js";
export { ChannelProgram, type ChannelProgramInit, type ProgramLimits } from "./program.js";
