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

/** A command code, or "any": it depends on the way by which the channel comes. */
type Begun = number | "any";

/** By segment and CCW. */
export function dataUses(segments: readonly Segment[]): readonly (readonly DataUse[])[] {
  const continued = new Set(segments.flatMap(dataChainedTargets));
  return segments.map(({ address, ccws }) => {
    let begun: Begun = "any";
    return ccws.map((ccw, index) => {
      if (isTransfer(ccw)) return "none";
      const before = ccws[index - 1];
      if (before === undefined || !isDataChained(before)) begun = ccw.cmd;
      if (continued.has(address + index * ccwBytes)) begun = "any";
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

function isDataChained(ccw: Ccw1): boolean {
  return !isTransfer(ccw) && (ccw.flags & CcwFlag.CD) !== 0;
}
