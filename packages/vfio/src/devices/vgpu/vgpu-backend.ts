/** What does the work of a vGPU that is served as a VFIO device. */
import type { Duplex } from "node:stream";
import type { ConfigModel } from "parhelion-buses";

export interface VgpuCommand {
  readonly channel: "vgpu" | "machine";
  readonly type: number;
  readonly process: number;
  readonly body: Uint8Array;
}

export interface VgpuNotice {
  readonly type: number;
  readonly process: number;
  readonly body: Uint8Array;
}

export interface VgpuReply {
  /** An NTSTATUS: below zero it has failed, and the body says why, in UTF-8. */
  readonly status: number;
  readonly body: Uint8Array;
}

/** One user of the vGPU, from the moment in which it opens the device. */
export interface VgpuSession {
  /** Several may be under way. Never rejects. */
  serve(command: VgpuCommand): Promise<VgpuReply>;
  /** A connection to where the engine's queues are. Absent: this vGPU's queues can't be attached. */
  openQueue?(): Duplex;
  /** The user has gone, or was cut off: all that it had goes. What is under way is answered. */
  close(): void;
}

export interface VgpuBackend {
  /** The vendor's part of the configuration space. */
  readonly config: ConfigModel;
  /** @param notify has a notice for the user; may be called until the session is closed */
  open(notify: (notice: VgpuNotice) => void): VgpuSession;
}
