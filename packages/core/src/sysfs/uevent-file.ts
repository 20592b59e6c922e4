/** The file through which an object is asked to tell the world about itself once more. */

import type { UeventAction, UeventKeys } from "../uevent.js";
import { parseSyntheticUevent } from "../uevent-synthetic.js";
import type { SysfsFile } from "./entry.js";

/** @param keys what reading it lists, without a way to read it if not given */
export function ueventFile(
  send: (action: UeventAction, extras: UeventKeys) => void,
  keys?: () => UeventKeys,
): SysfsFile {
  const write: SysfsFile["write"] = async (text) => {
    const { action, keys } = parseSyntheticUevent(text);
    send(action, keys);
    return undefined;
  };
  if (keys === undefined) return { kind: "file", mode: 0o200, write };
  const read = async (): Promise<string> =>
    keys()
      .map(([key, value]) => `${key}=${value}\n`)
      .join("");
  return { kind: "file", mode: 0o644, read, write };
}
