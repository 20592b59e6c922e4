/** The two ends of an open file: what a driver does for it, and who has it. */
import type { MappedMemory, MapRange } from "./mapping.js";

/** What a driver does for one open file. State of the open lives in the object. */
export interface FileOperations<Req = unknown, Res = unknown> {
  /**
   * One request. Several can run at once. The driver settles it when its device goes; the opener has its ENODEV by
   * then.
   */
  request(request: Req): Res | Promise<Res>;
  /**
   * The answer of a request that nobody waits for any more: the deadline has passed, or the device has gone. What it
   * stands for is to be given back here. An error is logged as `unclaimed.failed`.
   */
  unclaimed?(answer: Res): void | Promise<void>;
  /**
   * Gives memory for a range. Without it the file can't be mapped. The memory must stay valid until its `unmap`, with
   * the device or without it.
   */
  map?(range: MapRange): MappedMemory | Promise<MappedMemory>;
  /**
   * The opener closes (or has died) while requests may be under way: end those that wait. An error is logged as
   * `flush.failed`.
   */
  flush?(): void | Promise<void>;
  /** The last call for this file, after its last mapping's; the device may have been removed by now. An error is logged as `release.failed`. */
  release?(): void | Promise<void>;
}

/** Who opens. A node server fills in what the operating system says about its peer. */
export interface Opener {
  readonly pid?: number;
  readonly uid?: number;
  readonly gid?: number;
  /** What the process calls itself, for people. Says nothing about who it is. */
  readonly comm?: string;
}
