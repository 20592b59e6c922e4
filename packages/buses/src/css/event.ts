/** What can happen to a channel path (drivers/s390/cio/chp.h). */
export type ChpEvent = "ONLINE" | "OFFLINE" | "VARY_ON" | "VARY_OFF" | "FCES";

/** One path of one subchannel, in news about it. */
export interface ChpLink {
  readonly chpid: number;
  /** Its bit in the subchannel's path masks. */
  readonly mask: number;
}

/** What is to be done about a subchannel; a greater one overrides. */
export type SchTodo = "nothing" | "evaluate" | "unregister";
