/** Executes one slice's work on Dawn: in a child process that the host starts, or inside a process that accepts Dawn in it. */
export type { AdapterChoice } from "./adapter.js";
export { describeAdapter } from "./adapter.js";
export { Engine, type EngineOptions } from "./engine.js";
export { engineRules, refusalCodes, softwareAdapterCodes } from "./error-codes.js";
export {
  createInProcessEngine,
  type InProcessEngine,
  type InProcessEngineOptions,
  type OpenedQueue,
} from "./in-process.js";
export { type AdapterKind, createEngineLauncher, type EngineLauncher, engineEntry } from "./launcher.js";
export { defaultLimits, type EngineLimits } from "./limits.js";
export { type ProbeOptions, type ProbeResult, probeAdapter } from "./probe.js";
export { Refusal, type RefusalCode } from "./refusal.js";
export {
  prepareSoftwareAdapter,
  type SoftwareAdapter,
  SoftwareAdapterError,
  type SoftwareAdapterErrorCode,
  type SoftwareAdapterOptions,
} from "./software-adapter.js";
