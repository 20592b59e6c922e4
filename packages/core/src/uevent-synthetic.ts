/**
 * What may be written to an object's `uevent` file to have an event sent by hand: `ACTION [UUID [KEY=VALUE …]]`
 * (Documentation/ABI/testing/sysfs-uevent). The keys that result say that nothing has happened.
 */
import { KernelError } from "./error.js";
import { isUeventAction, type UeventAction, type UeventKeys } from "./uevent.js";

export interface SyntheticUevent {
  readonly action: UeventAction;
  /** SYNTH_UUID, then SYNTH_ARG_ and each key. */
  readonly keys: UeventKeys;
}

/** What one event's environment holds (include/linux/kobject.h, UEVENT_BUFFER_SIZE). */
const keysLimit = 2048;

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const argument = /^([A-Za-z0-9]+)=([A-Za-z0-9]+)$/;

/** @throws KernelError EINVAL */
export function parseSyntheticUevent(text: string): SyntheticUevent {
  const [action = "", ...words] = text.replace(/[\n\0]$/, "").split(" ");
  if (!isUeventAction(action)) {
    throw refused(`${JSON.stringify(action)} is not an action`);
  }
  const [id, ...args] = words;
  if (id === undefined) return { action, keys: [["SYNTH_UUID", "0"]] };
  if (!uuid.test(id)) throw refused(`${JSON.stringify(id)} is not a UUID`);
  const keys = [["SYNTH_UUID", id] as const, ...args.map(parseArgument)];
  const size = keys.reduce((sum, [key, value]) => sum + key.length + value.length + 2, 0);
  if (size > keysLimit) throw refused(`its keys take ${size} bytes, the limit is ${keysLimit}`);
  return { action, keys };
}

function parseArgument(word: string): readonly [string, string] {
  const [, key, value] = argument.exec(word) ?? [];
  if (key === undefined || value === undefined) {
    throw refused(`${JSON.stringify(word)} is not KEY=VALUE of letters and digits`);
  }
  return [`SYNTH_ARG_${key}`, value];
}

function refused(why: string): KernelError {
  return new KernelError("EINVAL", `uevent: ${why}; write ACTION [UUID [KEY=VALUE …]]`);
}
