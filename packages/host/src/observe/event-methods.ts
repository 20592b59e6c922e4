/** How events are read over the admin socket: by pages, each of which may wait for the next event. */
import type { AdminMethod, AdminParams } from "../admin/admin-server.js";
import { HostError } from "../host-error.js";
import type { EventLog } from "./event-log.js";

/** Events in one answer; a line of the admin socket holds them. */
const mostInPage = 256;
/** An answer comes after this long even if nothing happened, in ms: shorter than clients wait for one. */
const longestWaitMs = 20_000;

/**
 * `events {since?, most?, waitMs?}` answers {events, next, lost}: what came after number `since` (default: all that is kept), `next`
 * being the `since` of the next page.
 */
export function eventMethods(log: EventLog): Readonly<Record<"events", AdminMethod>> {
  return {
    events: async (params) =>
      log.after(
        count(params, "since", 0, Number.MAX_SAFE_INTEGER),
        Math.max(1, count(params, "most", mostInPage, mostInPage)),
        count(params, "waitMs", 0, longestWaitMs),
      ),
  };
}

function count(params: AdminParams, name: string, otherwise: number, most: number): number {
  const value = params[name] ?? otherwise;
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return Math.min(value, most);
  throw new HostError("bad-request", `${name} must be a whole number, 0 or more`);
}
