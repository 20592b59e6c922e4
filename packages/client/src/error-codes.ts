/**
 * How failures reach an application: WebGPU's own names, and when Parhelion uses each. docs/errors.md is made of it. An error's message
 * says what, which limit, and what to do; where a refusal of the engine or the host lies behind it, its words are theirs.
 */
export const applicationErrors = {
  TypeError: "An argument is malformed; or a feature or limit was asked for that the adapter does not have.",
  OperationError:
    "A device, buffer range or submission can't be had: the request exceeds the adapter's limits, a limit of the slice or the host is reached, or the adapter takes no new devices.",
  NotSupportedError: "importExternalTexture: there are no video frames outside of a page.",
  AbortError: "mapAsync: the buffer was unmapped or destroyed, or the device was lost, before it was mapped.",
  GPUValidationError:
    "A call breaks WebGPU's rules; Dawn says which. In the error scope or as uncapturederror.",
  GPUOutOfMemoryError: "The slice's memory is used up, or Dawn's is. The device goes on.",
  GPUInternalError: "Dawn or the driver could not do what is allowed.",
  GPUPipelineError: "A pipeline that was created asynchronously is none; `reason` says whose fault it is.",
} as const;

export type ApplicationErrorName = keyof typeof applicationErrors;

/** What `GPUDeviceLostInfo.reason` says. The message says why in words. */
export const lossReasons = {
  destroyed: "The application destroyed the device.",
  unknown:
    "Something else took it: its engine died or was killed, a submission exceeded its time, the slice was taken away, or the host went. Ask for an adapter again.",
} as const;
