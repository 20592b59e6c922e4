/**
 * Keeps two writers apart, by a name made of the file's device and inode. It holds within one network namespace; writers in different
 * containers are not kept apart.
 */
import { type HeldName, holdName } from "../held-name.js";
import { ImageError } from "./error.js";

export interface ImageLock {
  /** Idempotent. */
  release(): Promise<void>;
}

/** @throws ImageError image-locked */
export async function lockForWriting(path: string, identity: string): Promise<ImageLock> {
  let held: HeldName | "taken";
  try {
    held = await holdName(`parhelion-disk-image/${identity}`);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new ImageError("image-io", { file: path }, `it can't be locked (${code ?? message})`, {
      cause: error,
    });
  }
  if (held === "taken")
    throw new ImageError("image-locked", { file: path }, "somebody else has it open for writing");
  return held;
}
