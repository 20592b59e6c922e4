/** Reading what `serializeUevent` writes, for who gets uevents over a wire. */
import { KernelError } from "./error.js";
import { isUeventAction, type Uevent } from "./uevent.js";

/**
 * Total: whatever the text, it is an event or EINVAL. Keys that nobody knows are kept.
 * @throws KernelError EINVAL
 */
export function parseUevent(text: string): Uevent {
  if (!text.endsWith("\0")) throw refused("it does not end with a NUL");
  const [header = "", ...lines] = text.slice(0, -1).split("\0");
  const keys = lines.map((line) => {
    const equals = line.indexOf("=");
    if (equals < 1) throw refused(`${JSON.stringify(line)} is not KEY=value`);
    return [line.slice(0, equals), line.slice(equals + 1)] as const;
  });
  const value = (wanted: string): string => {
    const found = keys.find(([key]) => key === wanted)?.[1];
    if (found === undefined) throw refused(`there is no ${wanted}`);
    return found;
  };
  const action = value("ACTION");
  const devpath = value("DEVPATH");
  const seqnum = value("SEQNUM");
  if (!isUeventAction(action)) throw refused(`${JSON.stringify(action)} is not an action`);
  if (header !== `${action}@${devpath}`) throw refused("its first line and its keys differ");
  if (!/^[1-9][0-9]{0,15}$/.test(seqnum) || !Number.isSafeInteger(Number(seqnum))) {
    throw refused(`SEQNUM ${JSON.stringify(seqnum)} is not a number from 1 to 2^53 - 1`);
  }
  return { action, devpath, subsystem: value("SUBSYSTEM"), seqnum: Number(seqnum), keys };
}

function refused(why: string): KernelError {
  return new KernelError("EINVAL", `not a uevent: ${why}`);
}
