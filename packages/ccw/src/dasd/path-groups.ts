/**
 * Which channel paths belong together, and who has the disk for itself. A system that has set a path group may come by any path of it; a
 * reserve holds for the group, or for the one path where there is none.
 */
import type { CommandPath } from "../interpreter/device.js";
import { commandReject } from "./sense.js";

export const pathGroupIdSize = 11;

interface PathState {
  readonly group: string;
  readonly mode: "single" | "multiple";
}

export class PathGroups {
  /** By channel path id; a path that is not in it was reset. */
  readonly #paths = new Map<number, PathState>();
  #holder: string | undefined;

  reset(): void {
    this.#paths.clear();
    this.#holder = undefined;
  }

  /** Whether somebody else has reserved the disk. */
  heldByOther({ chpid }: CommandPath): boolean {
    return this.#holder !== undefined && this.#holder !== this.#who(chpid);
  }

  reserve({ chpid }: CommandPath): void {
    this.#holder = this.#who(chpid);
  }

  release({ chpid }: CommandPath): void {
    if (this.#holder === this.#who(chpid)) this.#holder = undefined;
  }

  /** Twelve bytes: states, and the group's id. */
  sense({ chpid }: CommandPath): Uint8Array {
    const bytes = new Uint8Array(1 + pathGroupIdSize);
    const state = this.#paths.get(chpid);
    const reserved = this.#holder === undefined ? 0 : this.#holder === this.#who(chpid) ? 3 : 2;
    if (state === undefined) {
      bytes[0] = reserved << 4;
      return bytes;
    }
    const grouped = state.group === "" ? 2 : 3;
    bytes[0] = (grouped << 6) | (reserved << 4) | (state.mode === "multiple" ? 8 : 0);
    bytes.set(Buffer.from(state.group, "hex"), 1);
    return bytes;
  }

  /**
   * @param bytes twelve: function, and the group's id
   * @throws UnitCheck command reject where the path is of another group
   */
  set({ chpid }: CommandPath, bytes: Uint8Array): void {
    const what = bytes[0] as number;
    const group = Buffer.from(bytes.subarray(1, 1 + pathGroupIdSize)).toString("hex");
    const mode = (what & 0x80) !== 0 ? "multiple" : "single";
    const state = this.#paths.get(chpid);
    switch (what & 0x60) {
      case 0x00:
        if (state !== undefined && state.group !== "" && state.group !== group)
          throw commandReject("invalidParameter");
        this.#regroup(chpid, { group, mode });
        return;
      case 0x20:
        this.#disband(chpid, group);
        return;
      case 0x40:
        if (state?.group !== group) throw commandReject("invalidParameter");
        this.#regroup(chpid, { group: "", mode: "single" });
        return;
      default:
        throw commandReject("invalidParameter");
    }
  }

  #disband(chpid: number, group: string): void {
    if (this.#paths.get(chpid)?.group !== group) throw commandReject("invalidParameter");
    for (const [path, state] of this.#paths)
      if (state.group === group) this.#regroup(path, { group: "", mode: "single" });
  }

  /** A reserve of this path alone goes with it into its group. */
  #regroup(chpid: number, state: PathState): void {
    const holds = this.#holder === this.#who(chpid);
    this.#paths.set(chpid, state);
    if (holds) this.#holder = this.#who(chpid);
  }

  #who(chpid: number): string {
    const group = this.#paths.get(chpid)?.group ?? "";
    return group === "" ? `path ${chpid}` : group;
  }
}
