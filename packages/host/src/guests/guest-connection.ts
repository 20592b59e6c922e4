/** stub until buses exist */
import type { Slice } from "../slices/slice.js";
import type { GuestProcesses } from "../vgpu/guest-process.js";
export interface GuestConnection {
  readonly reach: "local" | "remote";
  readonly processes: GuestProcesses;
  offer(slice: Slice): void;
  rescind(slice: Slice, why: string): Promise<void>;
  close(why: string): Promise<void>;
}
