/** When the data of a command was not as long as its CCWs say, and when that matters. */
import { Dstat } from "parhelion-buses";
import { type Ccw, has } from "./ccw.js";
import type { StartControls } from "./controls.js";

export interface MovedData {
  /** The CCW in use at the end. */
  readonly ccw: Ccw;
  readonly residual: number;
  /** "offered": the device never began with the data: an immediate or a refused command. */
  readonly command: "offered" | "accepted";
  readonly length: "within" | "exceeded";
}

export function hasIncorrectLength(data: MovedData, status: number, controls: StartControls): boolean {
  const suppressed = has(data.ccw, "SLI") && !has(data.ccw, "CD");
  if (data.command === "accepted") return (data.residual > 0 || data.length === "exceeded") && !suppressed;
  if ((status & (Dstat.UNIT_CHECK | Dstat.BUSY)) !== 0) return false;
  return controls.immediateLength === "checked" && data.residual > 0 && !suppressed;
}
