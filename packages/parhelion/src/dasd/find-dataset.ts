/** Finds what a person named, in a volume. Names are upper case there; what is typed need not be. */
import { ImageError, type Member, type TrackSource, type VolumeDataset } from "parhelion-ccw";

export interface DatasetName {
  readonly dataset: string;
  readonly member: string | undefined;
}

/** `NAME` or `NAME(MEMBER)`. */
export function parseDatasetName(text: string): DatasetName {
  const found = /^(?<dataset>[^()]+)\((?<member>[^()]+)\)$/.exec(text);
  const groups = found?.groups;
  return { dataset: groups?.["dataset"] ?? text, member: groups?.["member"] };
}

/** @throws ImageError image-dataset */
export function findDataset(
  image: TrackSource,
  datasets: readonly VolumeDataset[],
  name: string,
): VolumeDataset {
  const found =
    datasets.find((each) => each.name === name.toUpperCase()) ?? datasets.find((each) => each.name === name);
  if (found === undefined)
    throw new ImageError("image-dataset", { file: image.path }, `there is no dataset ${name.toUpperCase()}`);
  return found;
}

/** @throws ImageError image-dataset */
export function findMember(
  image: TrackSource,
  members: readonly Member[],
  dataset: string,
  name: string,
): Member {
  const found =
    members.find((each) => each.name === name.toUpperCase()) ?? members.find((each) => each.name === name);
  if (found === undefined)
    throw new ImageError(
      "image-dataset",
      { file: image.path },
      `dataset ${dataset} has no member ${name.toUpperCase()}`,
    );
  return found;
}
