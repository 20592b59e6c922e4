/** A page of metrics in Prometheus' text format, made of a sample each time that it is asked for. */
import { Counter, Gauge, Registry } from "prom-client";
import { hostMetrics, type MetricEntry, type MetricSample } from "./metric-list.js";

interface Written {
  readonly entry: MetricEntry;
  readonly metric: Gauge | Counter;
}

export class MetricsPage {
  // Its own: the library's default registry is one for the whole process, and a process may hold several hosts.
  readonly #registry = new Registry();
  readonly #metrics: readonly Written[];

  constructor() {
    this.#metrics = Object.entries<MetricEntry>(hostMetrics).map(([name, entry]) => {
      const { help, labels, kind } = entry;
      const init = { name, help, labelNames: [...labels], registers: [this.#registry] };
      return { entry, metric: kind === "counter" ? new Counter(init) : new Gauge(init) };
    });
  }

  async render(sample: MetricSample): Promise<string> {
    // Nothing waits before the page is made: two that are asked for at once do not mix.
    for (const { entry, metric } of this.#metrics) {
      metric.reset();
      for (const [labels, value] of entry.read(sample)) metric.inc({ ...labels }, value);
    }
    return this.#registry.metrics();
  }
}
