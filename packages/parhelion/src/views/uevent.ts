/** A uevent as people read it, in the manner of udevadm(8), and as an object. */
import { printable } from "./printable.js";

/** KEY=value, in the kernel's order. */
export function ueventKeys(keys: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    keys.map((key) => {
      const at = key.indexOf("=");
      return at < 0 ? [key, ""] : [key.slice(0, at), key.slice(at + 1)];
    }),
  );
}

/** @param properties whether every key is shown, below, with an empty line after it */
export function ueventView(keys: readonly string[], properties: boolean): string {
  const named = ueventKeys(keys);
  const { SEQNUM = "?", ACTION = "?", DEVPATH = "?", SUBSYSTEM = "?" } = named;
  const line = `${SEQNUM.padStart(5)} ${ACTION.padEnd(7)} ${DEVPATH} (${SUBSYSTEM})`;
  const lines = properties ? [line, ...keys, ""] : [line];
  return lines.map(printable).join("\n");
}

export function lostView(count: number): string {
  return `lost ${count} ${count === 1 ? "event" : "events"}: they came faster than they were read`;
}
