/** What the control unit needs of a disk: its tracks, and a way to make them durable. A `DiskImage` is one. */
import type { Geometry } from "../image/geometry.js";
import type { Access } from "../image/image-file.js";
import type { Track } from "../image/track.js";
import type { Answer } from "../storage/answer.js";

export interface Disk {
  readonly geometry: Geometry;
  readonly access: Access;
  /** @param ahead so many tracks behind it are likely to be wanted next; only a hint */
  content(track: number, ahead?: number): Answer<Track>;
  write(track: number, content: Track): Answer<void>;
  /** Returns when what was written before is durable. */
  flush(): Promise<void>;
}
