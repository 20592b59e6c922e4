/** What a person names to look into: an image's file, or the socket at which a disk is served. */
import { statSync } from "node:fs";
import { resolve } from "node:path";
import { DiskImage, SubchannelDisk } from "parhelion-ccw";
import { createRuntime } from "parhelion-core";
import type { Terminal } from "../terminal.js";

/** @throws ImageError; KernelError, BlockError of a served disk */
export async function openDisk(name: string, terminal: Terminal): Promise<DiskImage | SubchannelDisk> {
  const path = resolve(terminal.workingDirectory, name);
  return isSocket(path)
    ? SubchannelDisk.openAt(createRuntime(), path)
    : DiskImage.open(path, { access: "read-only" });
}

/** What can't be looked at can't be opened either, and that says why. */
function isSocket(path: string): boolean {
  try {
    return statSync(path).isSocket();
  } catch {
    return false;
  }
}
