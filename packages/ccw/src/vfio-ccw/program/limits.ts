/** What one channel program may take of the machine. */

/** CCWs that follow each other without a transfer (Linux: CCWCHAIN_LEN_MAX). */
export const maxSegmentCcws = 256;

/** Of all segments together. Linux has no such bound; without one a guest decides how much is copied for it. */
export const maxProgramCcws = 2048;

/** Pages of the guest that are pinned at once for one program: 64 MiB. */
export const maxProgramPages = 16_384;
