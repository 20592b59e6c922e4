/** Tracks to look into: those of an image, or of a disk behind a subchannel. */
import type { Geometry } from "./geometry.js";
import type { Track } from "./track.js";

export interface TrackSource {
  /** For errors: the image's file, or where the disk was reached. */
  readonly path: string;
  readonly geometry: Geometry;
  /** @param track from 0 on @throws ImageError, BlockError */
  read(track: number): Promise<Track>;
  close(): Promise<void>;
}
