/** What can be wrong with a disk image. The source of ImageErrorCode. */
interface CodeEntry {
  readonly means: string;
  readonly remedy: string;
}

export const imageErrorCodes = {
  "image-closed": { means: "The image was closed before.", remedy: "Open it again." },
  "image-compression": {
    means: "A track's compression is of an unknown kind, or what it holds can't be unpacked.",
    remedy: "Run `cckdcdsk -3` on a copy; it keeps the tracks that can be read.",
  },
  "image-dataset": {
    means: "The volume has no such dataset or member, or it is of a kind that can't be read as records.",
    remedy: "`parhelion dasd ls` lists what there is.",
  },
  "image-full": {
    means: "The disk that holds the image is full, or a compressed image would pass 4 GiB.",
    remedy: "Make room; what was written before is kept.",
  },
  "image-geometry": {
    means: "Cylinders, heads and track size are not those of a known kind of disk.",
    remedy: "Make the image again with `dasdinit`, or use one whose header is whole.",
  },
  "image-header": {
    means: "The file does not begin like a disk image, or its header contradicts itself or the file.",
    remedy: "Check that it is an image that `dasdinit` or `dasdload` made.",
  },
  "image-io": {
    means: "Reading or writing the file failed.",
    remedy: "Look at the system's log; open the image again when the cause is gone.",
  },
  "image-journal": {
    means: "A journal lies beside the image that does not belong to it.",
    remedy: "Move the journal away if the image was replaced on purpose.",
  },
  "image-locked": {
    means: "Somebody else has the image open for writing.",
    remedy: "End that one, or open the image read-only.",
  },
  "image-missing": {
    means: "There is no such file, it is no regular file, or this user may not open it.",
    remedy: "Check the name and its permissions.",
  },
  "image-read-only": { means: "The image was opened read-only.", remedy: "Open it for writing." },
  "image-shadow": {
    means: "The file is a shadow file: only the changes to another image.",
    remedy: "Merge it into its base with Hercules' `sf-` command, then use the base.",
  },
  "image-table": {
    means: "A table of a compressed image points outside of the file, or two entries claim the same bytes.",
    remedy: "Run `cckdcdsk -3` on a copy of the image.",
  },
  "image-track": {
    means: "A track's home address, record zero, counts or end mark are not those of a track.",
    remedy: "Run `cckdcdsk -3` on a copy if the image is compressed; otherwise take it from a backup.",
  },
  "image-truncated": {
    means: "The file ends before what its header promises.",
    remedy: "Copy it again from where it is whole.",
  },
  "image-unsupported": {
    means: "The image is of a kind that is known but not read here.",
    remedy: "Convert it with Hercules' `dasdcopy`.",
  },
} as const satisfies Readonly<Record<string, CodeEntry>>;

export type ImageErrorCode = keyof typeof imageErrorCodes;
