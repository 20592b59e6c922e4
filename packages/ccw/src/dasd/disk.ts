/** What the control unit needs of a disk: its tracks, and a way to make them durable. A `DiskImage` is one. */
import type { Geometry } from "../image/geometry.js";
import type { Access } from "../image/image-file.js";
import type { Track } from "../image/track.js";

export interface Disk {
  readonly geometry: Geometry;
  readonly access: Access;
  read(track: number): Promise<Track>;
  write(track: number, content: Track): Promise<void>;
  /** Returns when what was written before is durable. */
  flush(): Promise<void>;
}
