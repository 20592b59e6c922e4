/**
 * What the system tells the world about its objects. Events are numbered and delivered in one order: a listener that
 * causes another event gets it after everybody has seen the first.
 */
import type { Runtime } from "./runtime.js";
import type { Named } from "./sync/scheduler.js";

const ueventActions = ["add", "remove", "change", "move", "online", "offline", "bind", "unbind"] as const;

export type UeventAction = (typeof ueventActions)[number];

export function isUeventAction(word: string): word is UeventAction {
  return (ueventActions as readonly string[]).includes(word);
}

export type UeventKeys = readonly (readonly [key: string, value: string])[];

export interface Uevent {
  readonly action: UeventAction;
  readonly devpath: string;
  readonly subsystem: string;
  /** From 1, one sequence per system. */
  readonly seqnum: number;
  /** Everything in order: ACTION, DEVPATH, SUBSYSTEM, extras, the object's keys, SEQNUM. */
  readonly keys: UeventKeys;
}

export type UeventListener = (event: Uevent) => void;

export interface UeventSource {
  readonly devpath: string;
  readonly subsystem: string;
  /** The object's own keys, already in order. */
  readonly keys: UeventKeys;
}

export class Uevents implements Named {
  readonly name = "uevents";
  readonly #runtime: Runtime;
  readonly #listeners = new Set<UeventListener>();
  readonly #queue: Uevent[] = [];
  #seqnum = 0;
  #delivery: "idle" | "delivering" = "idle";

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /** @returns a function that ends the subscription */
  listen(listener: UeventListener): () => void {
    // Wrapped so that the same function given twice is two subscriptions.
    const subscription: UeventListener = (event) => listener(event);
    this.#runtime.scheduler.access(this, "write");
    this.#listeners.add(subscription);
    return () => {
      this.#runtime.scheduler.access(this, "write");
      this.#listeners.delete(subscription);
    };
  }

  send(action: UeventAction, source: UeventSource, extras: UeventKeys = []): void {
    this.#runtime.scheduler.access(this, "write");
    this.#seqnum += 1;
    const { devpath, subsystem } = source;
    this.#queue.push({
      action,
      devpath,
      subsystem,
      seqnum: this.#seqnum,
      keys: [
        ["ACTION", action],
        ["DEVPATH", devpath],
        ["SUBSYSTEM", subsystem],
        ...extras,
        ...source.keys,
        ["SEQNUM", String(this.#seqnum)],
      ],
    });
    if (this.#delivery === "idle") this.#deliver();
  }

  #deliver(): void {
    this.#delivery = "delivering";
    for (let event = this.#queue.shift(); event !== undefined; event = this.#queue.shift()) {
      for (const listener of [...this.#listeners]) {
        try {
          listener(event);
        } catch (error) {
          this.#runtime.log("error", "uevent.listener-failed", { seqnum: event.seqnum, error });
        }
      }
    }
    this.#delivery = "idle";
  }
}

/** The form in which a kernel sends it: `action@devpath`, then `KEY=value`, each ended by a NUL. */
export function serializeUevent(event: Uevent): string {
  const lines = [`${event.action}@${event.devpath}`, ...event.keys.map(([key, value]) => `${key}=${value}`)];
  return lines.map((line) => `${line}\0`).join("");
}
