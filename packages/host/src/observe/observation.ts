/** All that looks at one host from the side: its last events, its counters, its metrics. The host works the same without it. */
import type { Runtime } from "parhelion-core";
import type { AdminMethod } from "../admin/admin-server.js";
import type { HostStatus, SliceStatus } from "../status.js";
import { Counters } from "./counters.js";
import { EventLog } from "./event-log.js";
import { eventMethods } from "./event-methods.js";
import type { MetricsAddress } from "./metrics-address.js";
import { MetricsPage } from "./metrics-page.js";
import { MetricsServer } from "./metrics-server.js";
import type { WallTime } from "./wall-time.js";

export class Observation {
  /** What the host runs on: as the given one, and whatever is logged on it is heard. */
  readonly runtime: Runtime;
  readonly counters: Counters;
  /** For the admin socket. */
  readonly methods: Readonly<Record<string, AdminMethod>>;
  readonly #events: EventLog;
  readonly #startedAt: number;

  constructor(runtime: Runtime, wallTime: WallTime) {
    this.#events = new EventLog(runtime, { wallTime });
    this.#startedAt = wallTime() / 1000;
    this.runtime = this.#events.hear();
    this.counters = new Counters(this.runtime);
    this.#events.listen((event, fields) => this.counters.take(event, fields));
    this.methods = eventMethods(this.#events);
  }

  /** Each slice with its totals. @param slices all that there are: others are forgotten */
  withTotals(slices: readonly SliceStatus[]): readonly SliceStatus[] {
    this.counters.keep(new Set(slices.map(({ uuid }) => uuid)));
    return slices.map((slice) => ({
      ...slice,
      totals: this.counters.total(slice.uuid, `${slice.generation}.${slice.engine.starts}`, slice.statistics),
    }));
  }

  /** @throws HostError metrics-exposed, listen-failed */
  serveMetrics(address: MetricsAddress, status: () => Promise<HostStatus>): Promise<MetricsServer> {
    const page = new MetricsPage();
    return MetricsServer.listen({
      runtime: this.runtime,
      address,
      page: async () =>
        page.render({ status: await status(), counters: this.counters, startedAt: this.#startedAt }),
    });
  }

  /** Whoever waits for events gets what there is. */
  close(): void {
    this.#events.close();
  }
}
