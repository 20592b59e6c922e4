/**
 * What a device does with the data of each CCW. That goes by the command, and a CCW that is reached by data chaining has
 * none: its command code is ignored, and it goes on with the command of the CCW before it.
 */
import { type Ccw1, CcwFlag } from "parhelion-buses";
import { ccwBytes, isTransfer, movesData, useOf } from "./ccws.js";
import type { PageUse } from "./pinned-pages.js";
import type { Segment } from "./segments.js";

/** "none": the device does not touch it; also of a transfer. */
export type DataUse = PageUse | "none";

/** A command code, or "any": it depends on the way by which the channel comes, now or at a CCW before in the same chain. */
type Begun = number | "any";

/** By segment and CCW. */
export function dataUses(segments: readonly Segment[]): readonly (readonly DataUse[])[] {
  const continued = new Set(segments.flatMap(dataChainedTargets));
  const targets = new Set(segments.flatMap(({ ccws }) => ccws.filter(isTransfer).map(({ cda }) => cda)));
  return segments.map(({ address, ccws }) => {
    let begun: Begun = "any";
    return ccws.map((ccw, index) => {
      if (isTransfer(ccw)) return "none";
      const before = ccws[index - 1];
      const at = address + index * ccwBytes;
      if (before === undefined || !isDataChained(before)) begun = ccw.cmd;
      // It is a command of its own, too, for a channel that comes by a transfer, or that skips the CCW before it.
      else if (targets.has(at) || isCommandChained(ccws[index - 2])) begun = "any";
      if (continued.has(at)) begun = "any";
      return dataUse(ccw, begun);
    });
  });
}

function dataUse(ccw: Ccw1, begun: Begun): DataUse {
  if (begun === "any") return ccw.count === 0 ? "none" : "read-write";
  const command = { ...ccw, cmd: begun };
  return movesData(command) ? useOf(command) : "none";
}

/** Where transfers in the middle of data chaining lead to. */
function dataChainedTargets({ ccws }: Segment): readonly number[] {
  return ccws.flatMap((ccw, index) => {
    const before = ccws[index - 1];
    return isTransfer(ccw) && before !== undefined && isDataChained(before) ? [ccw.cda] : [];
  });
}

function isCommandChained(ccw: Ccw1 | undefined): boolean {
  return ccw !== undefined && !isTransfer(ccw) && (ccw.flags & (CcwFlag.CC | CcwFlag.CD)) === CcwFlag.CC;
}

function isDataChained(ccw: Ccw1): boolean {
  return !isTransfer(ccw) && (ccw.flags & CcwFlag.CD) !== 0;
}
