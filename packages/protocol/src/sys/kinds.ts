/** The numbers that kinds of entries travel as. */
import type { SysKind } from "./tree.js";

export const sysKinds: Readonly<Record<SysKind, number>> = { directory: 1, file: 2, link: 3 };

/** A kind that is not known yet is taken for what can at least be asked for its value. */
export function sysKindOf(number: number): SysKind {
  if (number === sysKinds.directory) return "directory";
  return number === sysKinds.link ? "link" : "file";
}
