/** What the channel subsystem's bus logs. docs/events.md is made of it, and a test looks whether it is all. */
import type { LogLevel } from "parhelion-core";

export interface LoggedRecord {
  readonly level: LogLevel;
  readonly means: string;
  /** What each field is. */
  readonly fields: Readonly<Record<string, string>>;
}

export const cssRecords = {
  "css.callback-failed": {
    level: "error",
    means: "A driver's callback threw; the bus goes on without its answer.",
    fields: {
      callback: "which one: irq, chpEvent, schEvent, add, shutdown",
      device: "path of the subchannel in /sys",
      error: "what was thrown: name, message, code",
    },
  },
  "css.interruption-of-nobody": {
    level: "debug",
    means: "Status was collected from a subchannel whose driver can't be called now.",
    fields: { id: "cssid, ssid and schno of the subchannel" },
  },
  "css.report-ignored": {
    level: "debug",
    means:
      "A channel report of a kind that asks for nothing: of a path, and neither that it came nor that it went; of a reset that was asked for; of a source " +
      "without a handler.",
    fields: { about: "other", rsc: "its reporting source code", erc: "its error-recovery code" },
  },
} as const satisfies Readonly<Record<string, LoggedRecord>>;
