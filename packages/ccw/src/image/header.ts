/**
 * The first 512 bytes of an image: eight letters that say its kind, heads and track size (little-endian), the low byte of the
 * device type, and which file of several it is. Offsets are those of files that Hercules' `dasdinit` makes.
 */
import { ImageError } from "./error.js";
import type { ImageFile } from "./image-file.js";

export const headerSize = 512;

/** plain: CKD_P370, every track at its place; compressed: CKD_C370, tables and tracks of any length. */
export type ImageKind = "plain" | "compressed";

export interface DeviceHeader {
  readonly kind: ImageKind;
  readonly heads: number;
  readonly trackSize: number;
  readonly typeByte: number;
  /** 0: the only file; 1, 2, …: which of several. */
  readonly sequence: number;
  /** The last cylinder of this file where another follows, else 0. */
  readonly highestCylinder: number;
}

/** @throws ImageError image-truncated, image-header, image-shadow, image-unsupported */
export async function readHeader(file: ImageFile): Promise<DeviceHeader> {
  const size = await file.size();
  if (size < headerSize)
    throw new ImageError(
      "image-truncated",
      { file: file.path, offset: size },
      `the file ends here; an image begins with a header of ${headerSize} bytes`,
    );
  const bytes = await file.read(0, headerSize);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return {
    kind: kindOf(bytes, file.path),
    heads: view.getUint32(8, true),
    trackSize: view.getUint32(12, true),
    typeByte: view.getUint8(16),
    sequence: view.getUint8(17),
    highestCylinder: view.getUint16(18, true),
  };
}

function kindOf(bytes: Uint8Array, file: string): ImageKind {
  const letters = Buffer.from(bytes.subarray(0, 8)).toString("latin1");
  const place = { file, offset: 0 };
  switch (letters) {
    case "CKD_P370":
      return "plain";
    case "CKD_C370":
      return "compressed";
    case "CKD_S370":
      throw new ImageError(
        "image-shadow",
        place,
        "this is a shadow file, which holds only the changes to another image",
      );
    case "CKD_P064":
    case "CKD_C064":
    case "CKD_S064":
      throw new ImageError("image-unsupported", place, `this is an image with 64-bit tables (${letters})`);
    case "FBA_C370":
    case "FBA_S370":
    case "FBA_C064":
    case "FBA_S064":
      throw new ImageError(
        "image-unsupported",
        place,
        `this is the image of a fixed-block disk (${letters})`,
      );
    default:
      throw new ImageError(
        "image-header",
        place,
        `${JSON.stringify(letters)} begins no disk image; CKD_P370 or CKD_C370 would`,
      );
  }
}
