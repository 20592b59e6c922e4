/** The codes of `BlockError`, with what they mean and what to do. */
export const blockErrorMeanings = {
  "block-channel":
    "the channel found something wrong with the channel program or with the way to the device, again and again",
  "block-closed": "the block device was closed, by its user or because it was asked to let the device go",
  "block-format": "the disk's tracks are not formatted in blocks of 4096 bytes; format them first",
  "block-gone": "the device is not there any more",
  "block-no-path": "no channel path leads to the device; bring one online, or vary it on",
  "block-range": "the blocks are not on the disk, or the bytes are not whole blocks",
  "block-refused": "the subchannel does not take channel programs; somebody else may be using the device",
  "block-timeout": "the device did not end what it was asked to do in time, and it was cleared",
  "block-unit-check": "the device could not do what it was asked to do; the sense bytes say why",
} as const;

export type BlockErrorCode = keyof typeof blockErrorMeanings;
