/**
 * How a track lies in a compressed image: its home address as it is, with the kind of packing in the flag byte, and the rest packed by
 * zlib, bzip2 or not at all. Every track says its own kind, whatever the image's header prefers.
 */
import { promisify } from "node:util";
import { deflate, inflateSync } from "node:zlib";
import { unpackBzip2 } from "./bzip2.js";
import type { Compression } from "./compressed-header.js";
import { ImageError, type ImagePlace } from "./error.js";
import { homeAddressSize } from "./track.js";

const kinds = ["none", "zlib", "bzip2"] as const;
const deflated = promisify(deflate);

/** Shorter tracks are not worth it; Hercules packs none below this either. */
const smallestPacked = 512;

/**
 * @param limit the most bytes a track may have
 * @throws ImageError image-compression
 */
export function unpackTrack(stored: Uint8Array, limit: number, place: ImagePlace): Uint8Array {
  const flag = stored[0] ?? 0;
  const kind = kinds[flag];
  if (kind === undefined || stored.length < homeAddressSize)
    throw new ImageError("image-compression", place, `the track's packing ${flag} is of no known kind`);
  if (kind === "none") return stored;
  let rest: Uint8Array;
  try {
    const packed = stored.subarray(homeAddressSize);
    rest =
      kind === "zlib"
        ? inflateSync(packed, { maxOutputLength: limit - homeAddressSize })
        : unpackBzip2(packed, limit - homeAddressSize);
  } catch (cause) {
    throw new ImageError(
      "image-compression",
      place,
      `the track can't be unpacked with ${kind}: ${reason(cause)}`,
      {
        cause,
      },
    );
  }
  const bytes = new Uint8Array(homeAddressSize + rest.length);
  bytes.set(stored.subarray(1, homeAddressSize), 1);
  bytes.set(rest, homeAddressSize);
  return bytes;
}

/**
 * bzip2 is read only: a new track of such an image is packed with zlib, which whoever reads bzip2 images reads as well.
 * @param bytes a track, ending with its end mark
 */
export async function packTrack(bytes: Uint8Array, compression: Compression): Promise<Uint8Array> {
  if (compression === "none" || bytes.length < smallestPacked) return bytes;
  const rest = await deflated(bytes.subarray(homeAddressSize));
  if (homeAddressSize + rest.length >= bytes.length) return bytes;
  const packed = new Uint8Array(homeAddressSize + rest.length);
  packed.set(bytes.subarray(0, homeAddressSize));
  packed[0] = kinds.indexOf("zlib");
  packed.set(rest, homeAddressSize);
  return packed;
}

const reason = (error: unknown): string => (error instanceof Error ? error.message : String(error));
