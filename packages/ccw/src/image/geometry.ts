/** How big a disk is. Tracks are numbered from 0, cylinder by cylinder. */
import { type DiskModel, type DiskType, diskModelOf, diskTypeOf, imageTrackSize } from "./device-types.js";
import { ImageError, type ImagePlace } from "./error.js";

export interface Geometry {
  readonly type: DiskType;
  readonly model: DiskModel;
  readonly cylinders: number;
  readonly heads: number;
  readonly tracks: number;
  /** Bytes of an uncompressed track in an image. */
  readonly trackSize: number;
}

/** @throws ImageError image-geometry */
export function geometryOf(
  place: ImagePlace,
  wanted: {
    readonly typeByte: number;
    readonly heads: number;
    readonly trackSize: number;
    readonly cylinders: number;
  },
): Geometry {
  const wrong = (offset: number, what: string) =>
    new ImageError("image-geometry", { file: place.file, offset }, what);
  const type = diskTypeOf(wanted.typeByte);
  if (type === undefined)
    throw wrong(
      16,
      `device type byte 0x${wanted.typeByte.toString(16).padStart(2, "0")} is of no known disk`,
    );
  const name = type.type.toString(16);
  if (wanted.heads !== type.heads)
    throw wrong(8, `${wanted.heads} tracks in a cylinder, where a ${name} has ${type.heads}`);
  const trackSize = imageTrackSize(type);
  if (wanted.trackSize !== trackSize)
    throw wrong(12, `a track size of ${wanted.trackSize} bytes, where a ${name} has ${trackSize}`);
  const { cylinders } = wanted;
  const model = cylinders > 0 ? diskModelOf(type, cylinders) : undefined;
  if (model === undefined) {
    const largest = type.models.at(-1) as DiskModel;
    throw new ImageError(
      "image-geometry",
      place,
      `${cylinders} cylinders, where a ${name} has from 1 to ${largest.cylinders + largest.alternates}`,
    );
  }
  return { type, model, cylinders, heads: type.heads, tracks: cylinders * type.heads, trackSize };
}

export interface TrackAddress {
  readonly cylinder: number;
  readonly head: number;
}

export const trackAddress = (geometry: Pick<Geometry, "heads">, track: number): TrackAddress => ({
  cylinder: Math.floor(track / geometry.heads),
  head: track % geometry.heads,
});
