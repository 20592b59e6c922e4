/** What channel subsystem, devices and vfio-ccw log. docs/events.md is made of it, and a test looks whether it is all. */
import type { LoggedRecord } from "parhelion-buses";

const subchannel = "of the subchannel, as 0.0.0000";
const error = "what was thrown: name, message, code";
const operator = "the console's name: its device number";

export const ccwRecords = {
  "ccw.clear-without-answer": {
    level: "warn",
    means:
      "A device went on when it was cleared. The subchannel is free; the next start waits for the device.",
    fields: { subchannel },
  },
  "ccw.device-failed": {
    level: "error",
    means: "A device threw instead of answering; the channel program ends with an interface control check.",
    fields: {
      program: "whose: a channel program of a subchannel",
      subchannel: `${subchannel}, where its device end failed`,
      error,
    },
  },
  "console.connected": {
    level: "info",
    means: "A console has a terminal; the one before is ended.",
    fields: { console: operator },
  },
  "console.disconnected": {
    level: "info",
    means:
      "A console's terminal went. The newest 64 KiB that are printed from here on are kept for the next one.",
    fields: { console: operator },
  },
  "css.interruption-failed": {
    level: "error",
    means: "Whoever handles a machine's interruptions threw.",
    fields: { error },
  },
  "vfio-ccw.interruption-of-nobody": {
    level: "warn",
    means: "A subchannel without a mediated device presented status. It is disabled.",
    fields: { subchannel },
  },
  "vfio-ccw.no-prefetch": {
    level: "warn",
    means:
      "A user's channel program asks not to be prefetched, and is all the same: what it changes in itself has no effect.",
    fields: { subchannel },
  },
  "vfio-ccw.not-stopped": {
    level: "error",
    means:
      "A device did not stop when it was closed or reset. It reaches the user's memory no more, and its subchannel is given up.",
    fields: { subchannel },
  },
  "vfio-ccw.qdio": {
    level: "warn",
    means: "A subchannel for queued I/O is not passed through.",
    fields: { subchannel },
  },
  "vfio-ccw.request-unheard": {
    level: "info",
    means:
      "The user of a device that is to go has no interrupt for that; it is revoked when its time is over.",
    fields: { subchannel },
  },
  "vfio-ccw.status-lost": {
    level: "warn",
    means: "A user does not read its statuses; the oldest of them is forgotten.",
    fields: { region: "which device's", limit: "how many statuses wait" },
  },
} as const satisfies Readonly<Record<string, LoggedRecord>>;
