/**
 * What a stream carrier sends: frames of two 32-bit words, kind and number, and for data the bytes.
 *
 * data     number = bytes that follow (a multiple of 8); they go to the same place of the other end's ring and are published
 * padding  number = bytes to the ring's end; nothing follows
 * credit   number = the reader's position; everything before it is the writer's again
 */
export const FRAME_BYTES = 8;
export const FRAME_DATA = 1;
export const FRAME_PADDING = 2;
export const FRAME_CREDIT = 3;
