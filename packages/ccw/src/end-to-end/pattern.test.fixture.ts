/** Bytes for blocks that tell which write they are of. */
import { blockBytes } from "../block/eckd.js";

export function pattern(blocks: number, seed: number): Buffer {
  return Buffer.from(
    Uint8Array.from({ length: blocks * blockBytes }, (_, index) => index * 31 + (index >> 9) + seed * 7),
  );
}
