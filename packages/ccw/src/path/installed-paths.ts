/** The up to eight channel paths of one subchannel, by position: the first is mask 0x80. */
import type { ChannelPath } from "./channel-path.js";

export interface SelectedPath {
  readonly path: ChannelPath;
  readonly mask: number;
}

export class InstalledPaths {
  readonly paths: readonly ChannelPath[];

  constructor(paths: readonly ChannelPath[]) {
    this.paths = paths;
  }

  /** Path installed mask. */
  get pim(): number {
    return this.mask(() => true);
  }

  /** Path available mask. */
  get pam(): number {
    return this.mask(({ state }) => state === "available");
  }

  get chpids(): Uint8Array {
    return Uint8Array.from({ length: 8 }, (_, at) => this.paths[at]?.chpid ?? 0);
  }

  mask(wanted: (path: ChannelPath) => boolean): number {
    return this.paths.reduce((mask, path, at) => (wanted(path) ? mask | (0x80 >> at) : mask), 0);
  }

  /** The paths in the mask, those after the one used last first: so that all of them carry a share. */
  inTurn(mask: number, last: number): readonly SelectedPath[] {
    const all = this.paths.map((path, at) => ({ path, mask: 0x80 >> at }));
    const used = all.findIndex((each) => each.mask === last) + 1;
    return [...all.slice(used), ...all.slice(0, used)].filter((each) => (each.mask & mask) !== 0);
  }
}
