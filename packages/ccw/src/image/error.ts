/** What is wrong with an image, in which file and where in it. */
import { type ImageErrorCode, imageErrorCodes } from "./error-codes.js";

export interface ImagePlace {
  readonly file: string;
  /** In bytes from the start of the file. */
  readonly offset?: number;
}

export class ImageError extends Error {
  override readonly name = "ImageError";
  readonly code: ImageErrorCode;
  readonly file: string;
  readonly offset: number | undefined;
  readonly remedy: string;

  /** @param message what was found, and what was expected; the place is put before it */
  constructor(code: ImageErrorCode, place: ImagePlace, message: string, options?: ErrorOptions) {
    const at = place.offset === undefined ? "" : ` at offset ${place.offset}`;
    super(`${place.file}${at}: ${message}`, options);
    this.code = code;
    this.file = place.file;
    this.offset = place.offset;
    this.remedy = imageErrorCodes[code].remedy;
  }
}

export function isImageError(error: unknown, code?: ImageErrorCode): error is ImageError {
  return error instanceof ImageError && (code === undefined || error.code === code);
}
