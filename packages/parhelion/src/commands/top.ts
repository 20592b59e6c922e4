/** `parhelion top`: what slices and guests do now, again and again. */
import { type Clock, systemClock } from "parhelion-core";
import type { HostStatus } from "parhelion-host";
import { reachHost } from "../host/host-access.js";
import { Page } from "../screen.js";
import { connectionLost } from "../sys/explain.js";
import { type Terminal, untilAskedToEnd } from "../terminal.js";
import type { TopOrder } from "../views/top/order.js";
import { topPage } from "../views/top/page.js";
import { type Reading, readingOf, type Sample } from "../views/top/reading.js";

export interface TopCommand {
  readonly state?: string;
  /** In seconds. */
  readonly interval: number;
  readonly once?: boolean;
  readonly sort: TopOrder;
  readonly json?: boolean;
}

/** What `top` looks at, and when. */
export interface TopSubject {
  readonly status: () => Promise<HostStatus>;
  readonly clock: Clock;
  /** Calendar time, in ms since 1970: for --json. */
  readonly wallTime: () => number;
  /** Settles when somebody wants it to end. */
  readonly end: Promise<unknown>;
}

export async function topCommand(options: TopCommand, terminal: Terminal): Promise<number> {
  const end = untilAskedToEnd();
  try {
    const host = await reachHost({ stateDirectory: options.state });
    const unread = new Promise<void>((resolve) => terminal.onOutputEnd(() => resolve()));
    try {
      await watch(options, terminal, {
        status: () => host.status(),
        clock: systemClock,
        wallTime: () => Date.now(),
        end: Promise.race([end.signal, unread]),
      });
      return 0;
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

/** Shows one reading after the other until it is to end. Rejects with what `status` rejects with; the terminal is as before then. */
export async function watch(options: TopCommand, terminal: Terminal, subject: TopSubject): Promise<void> {
  const { once = false } = options;
  const page = once || options.json || terminal.screen === null ? null : new Page(terminal.screen);
  let over: "no" | "yes" = "no";
  void subject.end.then(() => {
    over = "yes";
  });
  const isOver = () => over === "yes";
  try {
    let before: Sample | null = null;
    for (;;) {
      const status = await Promise.race([subject.status(), subject.end.then(() => null)]);
      if (status === null || isOver()) return;
      const now: Sample = { at: subject.clock.now(), status };
      // One reading is of two samples: the first has no rates yet, and on a page it is better than nothing.
      if (before !== null || page !== null) show(readingOf(before, now), options, terminal, page, subject);
      if (once && before !== null) return;
      before = now;
      await pause(subject, options.interval * 1000);
      if (isOver()) return;
    }
  } finally {
    page?.close();
  }
}

function show(
  reading: Reading,
  { json, sort, once }: TopCommand,
  terminal: Terminal,
  page: Page | null,
  { wallTime }: TopSubject,
): void {
  const draw = (columns: number) => topPage(reading, { order: sort, columns });
  if (json) terminal.out(JSON.stringify({ time: new Date(wallTime()).toISOString(), ...reading }));
  else if (page !== null) page.show(draw);
  // One page after the other, with an empty line between them.
  else terminal.out([...draw(terminal.screen?.columns ?? 80), ...(once ? [] : [""])].join("\n"));
}

/** Ends early when it is to end. */
async function pause({ clock, end }: TopSubject, ms: number): Promise<void> {
  let over: () => void = () => undefined;
  const passed = new Promise<void>((resolve) => {
    over = resolve;
  });
  const timer = clock.setTimer(ms, over);
  await Promise.race([passed, end]);
  timer.cancel();
}
