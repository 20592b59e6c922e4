/** `parhelion events`: what has happened on the host, and what happens. */
import type { EventPage } from "parhelion-host";
import { reachHost } from "../host/host-access.js";
import { connectionLost } from "../sys/explain.js";
import { type Terminal, untilAskedToEnd } from "../terminal.js";
import { eventView } from "../views/event.js";

export interface EventsCommand {
  readonly state?: string;
  readonly follow?: boolean;
  readonly since: number;
  readonly json?: boolean;
}

/** How long one question waits for the next event, in ms; the host allows as much. */
const waitMs = 20_000;

export async function eventsCommand(options: EventsCommand, terminal: Terminal): Promise<number> {
  const { follow = false, json = false } = options;
  const end = untilAskedToEnd();
  try {
    const host = await reachHost({ stateDirectory: options.state });
    const unread = new Promise<"over">((resolve) => terminal.onOutputEnd(() => resolve("over")));
    const over = Promise.race([end.signal.then(() => "over" as const), unread]);
    const show = ({ events, lost }: EventPage) => {
      if (lost > 0) terminal.out(json ? JSON.stringify({ lost }) : notKept(lost));
      for (const event of events) terminal.out(json ? JSON.stringify(event) : eventView(event));
    };
    try {
      for (let since = options.since, wait = 0; ; ) {
        const page = await Promise.race([host.events(since, wait), over]);
        if (page === "over") return 0;
        show(page);
        if (page.events.length > 0) wait = 0;
        else if (follow) wait = waitMs;
        else return 0;
        since = page.next;
      }
    } catch (error) {
      if ((error as { readonly code?: unknown }).code !== "host-gone") throw error;
      throw connectionLost(`the host in ${host.stateDirectory}`, error);
    } finally {
      await host.close();
    }
  } finally {
    end.dispose();
  }
}

function notKept(count: number): string {
  return count === 1 ? "1 event is not kept any more" : `${count} events are not kept any more`;
}
