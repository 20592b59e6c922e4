/** An event of the host as one line: number, time, level, name, fields. */
import type { HostEvent } from "parhelion-host";
import { printable } from "./printable.js";

export function eventView({ seq, time, level, event, fields }: HostEvent): string {
  const words = Object.entries(fields).map(([name, value]) => `${name}=${valueView(value)}`);
  return printable([String(seq).padStart(5), time, level.padEnd(5), event, ...words].join(" "));
}

/** As it is where that is one word, else as JSON. */
function valueView(value: unknown): string {
  if (typeof value === "string" && /^[^\s"{}[\]=]+$/.test(value)) return value;
  return JSON.stringify(value);
}
