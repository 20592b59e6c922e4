/**
 * The files of an uncompressed image. Most are one; a big one may be several, `disk_1.ckd`, `disk_2.ckd`, …: each has a header that says
 * its place in the row and its last cylinder.
 */
import { basename, dirname, join } from "node:path";
import { ImageError } from "./error.js";
import { type Geometry, geometryOf } from "./geometry.js";
import { type DeviceHeader, headerSize, readHeader } from "./header.js";
import type { Access, ImageDisk, ImageFile } from "./image-file.js";

export interface PlainFile {
  readonly file: ImageFile;
  readonly firstTrack: number;
  readonly tracks: number;
}

/** Owns `first` from here on, unless it throws. @throws ImageError */
export async function openPlainFiles(
  disk: ImageDisk,
  first: ImageFile,
  device: DeviceHeader,
  access: Access,
): Promise<{ readonly files: readonly PlainFile[]; readonly geometry: Geometry }> {
  if (device.sequence > 1)
    throw new ImageError(
      "image-header",
      { file: first.path, offset: 17 },
      `this is file ${device.sequence} of an image of several; name the first of them`,
    );
  const files: PlainFile[] = [];
  try {
    let file = first;
    let header = device;
    let cylinders = 0;
    for (;;) {
      const found = await cylindersOf(file, header, cylinders);
      files.push({ file, firstTrack: cylinders * header.heads, tracks: found * header.heads });
      cylinders += found;
      if (header.highestCylinder === 0) break;
      file = await disk.open(following(await disk.canonical(first.path), files.length + 1), access);
      files.push({ file, firstTrack: 0, tracks: 0 });
      header = await readHeader(file);
      checkFollowing(file, header, device, files.length);
      files.pop();
    }
    const place = { file: first.path, offset: headerSize };
    return { files, geometry: geometryOf(place, { ...device, cylinders }) };
  } catch (error) {
    for (const { file } of files) if (file !== first) await file.close();
    throw error;
  }
}

async function cylindersOf(file: ImageFile, header: DeviceHeader, before: number): Promise<number> {
  // Heads and track size are checked first: they are divided by here.
  geometryOf({ file: file.path }, { ...header, cylinders: 1 });
  const size = await file.size();
  const cylinderSize = header.trackSize * header.heads;
  const cylinders = Math.floor((size - headerSize) / cylinderSize);
  const whole = headerSize + cylinders * cylinderSize;
  if (cylinders === 0 || whole !== size)
    throw new ImageError(
      "image-truncated",
      { file: file.path, offset: size },
      `the file ends here, ${size - whole} bytes into cylinder ${before + cylinders}; ` +
        `whole cylinders of ${cylinderSize} bytes follow a header of ${headerSize}`,
    );
  if (header.highestCylinder !== 0 && header.highestCylinder !== before + cylinders - 1)
    throw new ImageError(
      "image-header",
      { file: file.path, offset: 18 },
      `its last cylinder should be ${header.highestCylinder}, and it holds those from ${before} to ${before + cylinders - 1}`,
    );
  return cylinders;
}

function checkFollowing(file: ImageFile, header: DeviceHeader, first: DeviceHeader, number: number): void {
  const wrong = (offset: number, what: string) =>
    new ImageError("image-header", { file: file.path, offset }, what);
  if (header.kind !== "plain") throw wrong(0, "it is compressed, and the file before it is not");
  if (header.sequence !== number)
    throw wrong(17, `it says it is file ${header.sequence}, and file ${number} is due`);
  const { heads, trackSize, typeByte } = first;
  if (header.heads !== heads || header.trackSize !== trackSize || header.typeByte !== typeByte)
    throw wrong(8, "it is of another kind of disk than the first file");
}

/** @throws ImageError image-header where the name does not say how it goes on */
function following(first: string, number: number): string {
  const name = basename(first);
  const found = /^(?<stem>[^.]*_)1(?<rest>\..*)?$/.exec(name);
  if (found?.groups === undefined)
    throw new ImageError(
      "image-header",
      { file: first, offset: 18 },
      "more files follow it, and its name has no _1 before its first dot, so theirs are not known",
    );
  return join(dirname(first), `${found.groups["stem"] ?? ""}${number}${found.groups["rest"] ?? ""}`);
}
