/**
 * What tells the content of an uncompressed image from any other, wherever its file is copied or moved to: a mark in the reserved part of
 * its (first) file's header, new with every flush. It lies within one sector, so it is the one or the other whatever happens.
 */
import { headerSize } from "./header.js";
import type { ImageDisk, ImageFile } from "./image-file.js";

/** Hexadecimal digits; undefined: nobody has written the image here yet. */
export type Stamp = string;

const letters = "PHSTAMP1";
/** Of the bytes that make a stamp. */
export const stampSize = 16;
const markSize = letters.length + stampSize;
const markAt = headerSize - markSize;

export const freshStamp = (disk: ImageDisk): Stamp => Buffer.from(disk.random(stampSize)).toString("hex");

export async function readStamp(file: ImageFile): Promise<Stamp | undefined> {
  const bytes = Buffer.from(await file.read(markAt, markSize));
  return bytes.toString("latin1", 0, letters.length) === letters
    ? bytes.toString("hex", letters.length)
    : undefined;
}

export function writeStamp(file: ImageFile, stamp: Stamp): Promise<void> {
  return file.write(markAt, Buffer.concat([Buffer.from(letters, "latin1"), Buffer.from(stamp, "hex")]));
}
