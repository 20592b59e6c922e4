/** The codes of `BlockError`. */
export const blockErrorCodes = {
  "block-channel": {
    means:
      "The channel found something wrong with the channel program, or with the way to the device, again and again.",
    remedy: "The message has its status. Look at the channel paths.",
  },
  "block-closed": {
    means: "The block device was closed: by its user, or because it was asked to let the device go.",
    remedy: "Open it again.",
  },
  "block-format": {
    means: "The disk's tracks have no records of 4096 bytes where they were looked for.",
    remedy: "Format the tracks; what is on them is gone then.",
  },
  "block-gone": {
    means: "The device is not there any more, or was taken from its user.",
    remedy: "Attach the disk, make a mediated device of its subchannel, and open that.",
  },
  "block-no-path": {
    means: "No channel path leads to the device.",
    remedy: "Vary a path on, or configure it online.",
  },
  "block-range": {
    means: "The blocks are not on the disk, or the bytes are not whole blocks.",
    remedy: "Ask `blocks`; a block has 4096 bytes.",
  },
  "block-refused": {
    means: "The subchannel does not take the channel program, or does not get through it, again and again.",
    remedy: "See whether somebody else uses the device, or halts it.",
  },
  "block-timeout": {
    means: "The device did not end what it was asked to do in time, and was cleared.",
    remedy: "Try again, or allow more (`timeoutMs`).",
  },
  "block-unit-check": {
    means: "The device could not do what it was asked to do.",
    remedy: "`sense` says why.",
  },
} as const;

export type BlockErrorCode = keyof typeof blockErrorCodes;
