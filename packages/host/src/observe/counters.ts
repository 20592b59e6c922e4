/**
 * What only grows, counted by the host: for each slice and for the whole host. Engines count submits and bytes themselves and begin at
 * zero when they are started; here their counts go on over that. Nothing is asked of an engine for it: what it told last is taken. A
 * dying engine takes with it what it had counted since.
 */
import type { Named, Runtime } from "parhelion-core";
import type { HostEventName } from "./event-list.js";

export interface SliceTotals {
  readonly submits: number;
  /** Of commands and data, that came from the guest. */
  readonly receivedBytes: number;
  readonly lostDevices: number;
  readonly engineFailures: number;
}

/** What one engine has counted. */
export interface EngineCounts {
  readonly submits: number;
  readonly bytesReceived: number;
}

interface SliceCounter {
  /** Which of the slice's engines `latest` is of. */
  engine: string;
  latest: EngineCounts;
  /** Of earlier engines. */
  submits: number;
  receivedBytes: number;
  lostDevices: number;
  engineFailures: number;
}

const none: EngineCounts = { submits: 0, bytesReceived: 0 };

export class Counters implements Named {
  readonly name = "counters";
  readonly #runtime: Runtime;
  readonly #slices = new Map<string, SliceCounter>();
  readonly #events = new Map<HostEventName, number>();
  readonly #refusals = new Map<string, number>();

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  get events(): ReadonlyMap<HostEventName, number> {
    this.#access("read");
    return this.#events;
  }

  /** By rule. */
  get refusals(): ReadonlyMap<string, number> {
    this.#access("read");
    return this.#refusals;
  }

  take(event: HostEventName, fields: Readonly<Record<string, unknown>>): void {
    this.#access("write");
    add(this.#events, event);
    const { slice, rule } = fields;
    if (event === "limit.reached") add(this.#refusals, typeof rule === "string" ? rule : "unknown");
    if (typeof slice !== "string") return;
    if (event === "device.lost") this.#of(slice).lostDevices += 1;
    else if (event === "engine.failed") this.#of(slice).engineFailures += 1;
    else if (event === "slice.removed") this.#slices.delete(slice);
  }

  /**
   * What the engine of a slice has counted so far.
   * @param engine tells the slice's engines apart
   * @param counts null when it did not say
   */
  total(slice: string, engine: string, counts: EngineCounts | null): SliceTotals {
    this.#access("write");
    const counter = this.#of(slice);
    if (counts !== null) {
      if (counter.engine !== engine) {
        counter.submits += counter.latest.submits;
        counter.receivedBytes += counter.latest.bytesReceived;
        counter.engine = engine;
        counter.latest = none;
      }
      // Answers of one engine that overtake each other make nothing go back.
      counter.latest = {
        submits: Math.max(counter.latest.submits, counts.submits),
        bytesReceived: Math.max(counter.latest.bytesReceived, counts.bytesReceived),
      };
    }
    return {
      submits: counter.submits + counter.latest.submits,
      receivedBytes: counter.receivedBytes + counter.latest.bytesReceived,
      lostDevices: counter.lostDevices,
      engineFailures: counter.engineFailures,
    };
  }

  /** Only these slices are there still. */
  keep(slices: ReadonlySet<string>): void {
    this.#access("write");
    for (const slice of this.#slices.keys()) if (!slices.has(slice)) this.#slices.delete(slice);
  }

  #of(slice: string): SliceCounter {
    let counter = this.#slices.get(slice);
    if (counter === undefined) {
      counter = { engine: "", latest: none, submits: 0, receivedBytes: 0, lostDevices: 0, engineFailures: 0 };
      this.#slices.set(slice, counter);
    }
    return counter;
  }

  #access(mode: "read" | "write"): void {
    this.#runtime.scheduler.access(this, mode);
  }
}

function add<K>(counts: Map<K, number>, key: K): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
