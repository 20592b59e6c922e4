/**
 * The kinds of CKD disks an image can be of. Capacities are those of the machines (IBM 3990 Storage Control Reference, GA32-0099;
 * the sizes of 3390-27 and -54 those of the 2105). An image may have fewer cylinders than its kind, never more than the
 * largest model with its alternate cylinders.
 */
export interface DiskModel {
  readonly name: string;
  readonly cylinders: number;
  readonly alternates: number;
  /** The second byte of the device type: what sense id and read device characteristics answer as the model. */
  readonly model: number;
  /** What read device characteristics answers as the device type code. */
  readonly typeCode: number;
}

export interface DiskType {
  /** For example 0x3390. */
  readonly type: number;
  readonly heads: number;
  /** Longest data field of the only record beside record zero, in bytes. */
  readonly largestRecord: number;
  /** Ascending by capacity. */
  readonly models: readonly DiskModel[];
}

/** Of a track in an image, besides its records: home address 5, record zero 16, a count 8, the end mark 8. */
const trackOverhead = 5 + 16 + 8 + 8;

/** The bytes one track takes in an uncompressed image: rounded up to whole sectors of 512. */
export function imageTrackSize(type: DiskType): number {
  return Math.ceil((type.largestRecord + trackOverhead) / 512) * 512;
}

const model = (
  name: string,
  cylinders: number,
  alternates: number,
  code: number,
  typeCode: number,
): DiskModel => ({
  name,
  cylinders,
  alternates,
  model: code,
  typeCode,
});

export const diskTypes: readonly DiskType[] = [
  { type: 0x2311, heads: 10, largestRecord: 3625, models: [model("2311", 200, 3, 0, 0)] },
  { type: 0x2314, heads: 20, largestRecord: 7294, models: [model("2314", 200, 3, 0, 0)] },
  {
    type: 0x3330,
    heads: 19,
    largestRecord: 13030,
    models: [model("3330-1", 404, 7, 0x01, 0), model("3330-11", 808, 7, 0x11, 0)],
  },
  {
    type: 0x3340,
    heads: 12,
    largestRecord: 8368,
    models: [model("3340-35", 348, 1, 0x01, 0), model("3340-70", 696, 2, 0x02, 0)],
  },
  { type: 0x3350, heads: 30, largestRecord: 19069, models: [model("3350", 555, 5, 0, 0)] },
  { type: 0x3375, heads: 12, largestRecord: 35616, models: [model("3375", 959, 3, 0x02, 0x0e)] },
  {
    type: 0x3380,
    heads: 15,
    largestRecord: 47476,
    models: [
      model("3380-A", 885, 1, 0x02, 0x0e),
      model("3380-E", 1770, 2, 0x0a, 0x0e),
      model("3380-K", 2655, 3, 0x1e, 0x0e),
      model("3380-K+", 3993, 3, 0x1e, 0x0e),
    ],
  },
  {
    type: 0x3390,
    heads: 15,
    largestRecord: 56664,
    models: [
      model("3390-1", 1113, 1, 0x02, 0x26),
      model("3390-2", 2226, 1, 0x06, 0x27),
      model("3390-3", 3339, 1, 0x0a, 0x24),
      model("3390-9", 10017, 3, 0x0c, 0x32),
      model("3390-27", 32760, 3, 0x0c, 0x32),
      model("3390-54", 65520, 3, 0x0c, 0x32),
    ],
  },
  {
    type: 0x9345,
    heads: 15,
    largestRecord: 46456,
    models: [model("9345-1", 1440, 0, 0x04, 0x04), model("9345-2", 2156, 0, 0x04, 0x04)],
  },
];

/** The type whose low byte stands in an image's header. */
export function diskTypeOf(lowByte: number): DiskType | undefined {
  return diskTypes.find(({ type }) => (type & 0xff) === lowByte);
}

/** The smallest model that has room for so many cylinders. */
export function diskModelOf(type: DiskType, cylinders: number): DiskModel | undefined {
  return type.models.find((candidate) => cylinders <= candidate.cylinders + candidate.alternates);
}
