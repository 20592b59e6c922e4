/**
 * The last events of a host, numbered, for whoever wants to know what happened and go on watching. Bounded: who comes late or reads
 * slowly is told how many he missed. It hears what the host logs, so an event is never told in two places.
 */
import { isKernelError, type LogLevel, type Named, type Runtime, WaitQueue } from "parhelion-core";
import { type HostEventName, hostEvents, isHostEvent } from "./event-list.js";
import type { WallTime } from "./wall-time.js";

export interface HostEvent {
  /** From 1, without gaps, of one run of the host. */
  readonly seq: number;
  /** ISO 8601, of the machine's calendar clock. */
  readonly time: string;
  readonly level: LogLevel;
  readonly event: HostEventName;
  /** JSON; see hostEvents. */
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface EventPage {
  readonly events: readonly HostEvent[];
  /** Ask for what comes after this number next. */
  readonly next: number;
  /** How many were asked for that are not kept any more. */
  readonly lost: number;
}

/** Told of each record that has an event's name, those included that are too many to be kept. */
export type EventListener = (event: HostEventName, fields: Readonly<Record<string, unknown>>) => void;

export interface EventLogOptions {
  readonly wallTime: WallTime;
  /** Default 2048. */
  readonly kept?: number;
}

const defaultKept = 2048;
/** Longest text in a field, in UTF-16 units; what an engine says can be longer. */
const longestText = 2048;
/** One page is one line of the admin socket, whose limit it stays below, in UTF-16 units of JSON. */
const largestPage = 128 * 1024;

interface Kept {
  readonly event: HostEvent;
  readonly size: number;
}

export class EventLog implements Named {
  readonly name = "events";
  readonly #wallTime: WallTime;
  readonly #kept: number;
  readonly #runtime: Runtime;
  readonly #more: WaitQueue;
  readonly #listeners: EventListener[] = [];
  /** Event `seq` lies at `seq % kept`. */
  readonly #ring: Kept[] = [];
  #last = 0;
  #state: "open" | "closed" = "open";

  constructor(runtime: Runtime, { wallTime, kept = defaultKept }: EventLogOptions) {
    this.#runtime = runtime;
    this.#wallTime = wallTime;
    this.#kept = kept;
    this.#more = new WaitQueue(runtime, "more events");
  }

  /** The runtime whose log is heard. What logs through the given one alone is not. */
  hear(): Runtime {
    const { log } = this.#runtime;
    return {
      ...this.#runtime,
      log: (level, event, fields) => {
        log(level, event, fields);
        this.#take(level, event, fields);
      },
    };
  }

  listen(listener: EventListener): void {
    this.#listeners.push(listener);
  }

  /**
   * What came after number `since`, oldest first; waits for something to come when there is nothing.
   * @param most how many at once
   * @param waitMs how long to wait; with 0 the page can be empty at once
   */
  async after(since: number, most: number, waitMs: number): Promise<EventPage> {
    const deadline = this.#runtime.clock.now() + waitMs;
    // Numbers of an earlier run of the host are higher than what there is: then everything is news.
    const from = since > this.#last ? 0 : since;
    if (waitMs > 0) {
      try {
        await this.#more.wait(() => this.#last > from || this.#state === "closed", { deadline });
      } catch (error) {
        if (!isKernelError(error, "ETIMEDOUT")) throw error;
      }
    }
    this.#runtime.scheduler.access(this, "read");
    const first = Math.max(from + 1, this.#last - this.#kept + 1);
    const end = Math.min(this.#last, first + most - 1);
    const events: HostEvent[] = [];
    for (let seq = first, size = 0; seq <= end; seq++) {
      const kept = this.#ring[seq % this.#kept] as Kept;
      size += kept.size;
      if (size > largestPage && events.length > 0) break;
      events.push(kept.event);
    }
    return { events, next: first - 1 + events.length, lost: first - from - 1 };
  }

  /** Whoever waits gets what there is. */
  close(): void {
    this.#runtime.scheduler.access(this, "write");
    this.#state = "closed";
    this.#more.wake();
  }

  #take(level: LogLevel, event: string, fields: Readonly<Record<string, unknown>>): void {
    if (!isHostEvent(event)) return;
    for (const listener of this.#listeners) listener(event, fields);
    if (level === "debug") return;
    this.#runtime.scheduler.access(this, "write");
    this.#last += 1;
    const time = new Date(this.#wallTime()).toISOString();
    const entry = { seq: this.#last, time, level, event, fields: listed(event, fields) };
    this.#ring[this.#last % this.#kept] = { event: entry, size: JSON.stringify(entry).length };
    this.#more.wake();
  }
}

/** The fields that the event has by its entry, as JSON: a credential that somebody logs by mistake is none of them. */
function listed(
  event: HostEventName,
  fields: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const kept: Record<string, unknown> = {};
  for (const name of Object.keys(hostEvents[event].fields)) {
    const value = fields[name];
    if (value !== undefined) kept[name] = json(value);
  }
  return kept;
}

function json(value: unknown): unknown {
  if (typeof value === "string") return shorten(value);
  return value instanceof Error ? errorFields(value) : value;
}

function shorten(text: string): string {
  return text.length <= longestText ? text : `${text.slice(0, longestText - 1)}…`;
}

function errorFields(error: Error): Readonly<Record<string, unknown>> {
  const code: unknown = Reflect.get(error, "code");
  return { name: error.name, message: shorten(error.message), ...(typeof code === "string" ? { code } : {}) };
}
