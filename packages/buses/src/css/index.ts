/** Subchannels as devices: the channel subsystem's bus. */
export { CssBus, type CssBusOptions } from "./bus.js";
export type { CssCallbacks } from "./callbacks.js";
export type { Cio, CioAnswer, Retries } from "./cio.js";
export { type CssDriver, callbacksOf } from "./driver.js";
export type { ChpEvent, ChpLink, SchTodo } from "./event.js";
export * from "./layout/index.js";
export {
  type ConditionCode,
  type CssMachine,
  type Interruption,
  type SubchannelId,
  subchannelName,
} from "./machine.js";
export { cssRecords, type LoggedRecord } from "./record-list.js";
export { Subchannel } from "./subchannel.js";
